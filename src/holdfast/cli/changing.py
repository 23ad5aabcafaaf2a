"""What `set` and `del` share: one change of a document under its lock, and the report of it."""

from __future__ import annotations

from holdfast.cli import signals
from holdfast.cli.exits import BAD_DATA, Failure
from holdfast.cli.files import (
    LARGEST_BYTES,
    named_file,
    need_codec,
    open_register,
    require_file,
    wrote,
)
from holdfast.cli.streams import say
from holdfast.cli.waiting import telling
from holdfast.errors import HoldfastError
from holdfast.formats.plain import MISSING
from holdfast.vfs import CLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from holdfast.cli.parser import Namespace
    from holdfast.vfs import Sync

__all__ = ["change"]


def change(args: Namespace, apply: Callable[[Any], Any], *, default: Any, verb: str) -> None:
    """Change the document `args.file` under its lock, durably on return.

    Args:
        args: The file, and the options of `add_parse`, `add_wait`, `add_no_sync`, `add_verbosity`.
        apply: Takes the document and returns it changed; what it raises leaves the file untouched.
        default: What a missing file holds; MISSING: a missing file is an error.
        verb: Who asks.

    Raises:
        Failure: the format cannot hold the result; the file is untouched.
        FileNotFoundError: missing, and there is no default.
        LockTimeout: somebody else holds the lock; the file is untouched.
    """
    from holdfast.state.document import Document

    path = named_file(args.file)
    if default is MISSING:
        require_file(path)
    attempt = _Attempt(path, apply, verbose=args.verbose)
    sync: Sync = "never" if args.no_sync else "always"
    codec = need_codec(path, args.parse)
    with Document(
        path, object, default=default, codec=codec, sync=sync, max_size_bytes=LARGEST_BYTES
    ) as document:
        try:
            telling(verb, args.wait, lambda wait_s: document.update(attempt, timeout_s=wait_s))
        except Failure as failure:
            if failure.path is not None:
                raise
            message = f"{path}: {failure}. It is unchanged."
            raise Failure(message, failure.exit_code, path=path) from None
        except (TypeError, ValueError) as error:
            if isinstance(error, HoldfastError):
                raise
            raise Failure(f"{path}: {error}. It is unchanged.", BAD_DATA, path=path) from None
    if args.verbose:
        say(attempt.report(sync=not args.no_sync))


class _Attempt:
    """Calls `apply` under the lock; for the report it looks at the file before and after."""

    def __init__(self, path: str, apply: Callable[[Any], Any], *, verbose: bool) -> None:
        self._path = path
        self._apply = apply
        self._verbose = verbose
        self._before: bytes | None = None
        self._begun_s = 0.0

    def __call__(self, root: Any) -> Any:
        result = self._apply(root)
        if self._verbose:
            self._before = open_register(self._path).read().data
        signals.finish()
        self._begun_s = CLOCK.monotonic()
        return result

    def report(self, *, sync: bool) -> str:
        """What was done, in one line."""
        took_s = CLOCK.monotonic() - self._begun_s
        after = open_register(self._path).read().data or b""
        if after == self._before:
            return f"{self._path} is unchanged"
        return wrote(self._path, len(after), took_s=took_s, sync=sync)
