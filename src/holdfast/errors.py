"""Every exception of holdfast. Imports nothing of holdfast.

    HoldfastError
    ├── LockTimeout          (TimeoutError)   contention    somebody else holds the lock
    ├── Conflict                              contention    somebody else was faster
    ├── CommittedNotDurable  (OSError)        environment   in place, but a power cut may undo it
    ├── PromiseUnavailable   (OSError)        environment   cannot be kept whole; it is untouched
    ├── PartlyCommitted                       environment   some files of a batch are in place
    ├── HandlePoisoned                        environment   a sync failed: open it anew
    ├── Truncated                             environment   a reader came too late
    ├── Corruption                            the disk      acknowledged bytes are damaged
    │   ├── ChecksumMismatch                  the disk      a checksum does not fit its bytes
    │   ├── BadFrame                          the disk      no frame where there must be one
    │   └── UnknownFormat                     the disk      another format, or a newer version
    ├── DecodeError          (ValueError)     the disk      does not parse, or does not fit its type
    └── Closed               (ValueError)     the caller    used after close

An `OSError` of the operating system is never wrapped: its errno and filename stay, and a note says
what is on disk now. Every exception carries its facts as attributes and can be pickled.
"""

from __future__ import annotations

from errno import ETIMEDOUT

__all__ = [
    "BadFrame",
    "ChecksumMismatch",
    "Closed",
    "CommittedNotDurable",
    "Conflict",
    "Corruption",
    "DecodeError",
    "HandlePoisoned",
    "HoldfastError",
    "LockTimeout",
    "PartlyCommitted",
    "PromiseUnavailable",
    "Truncated",
    "UnknownFormat",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _rebuild(cls: type[BaseException], state: dict[str, object]) -> BaseException:
    error = cls.__new__(cls)
    error.__setstate__(state)
    return error


class HoldfastError(Exception):
    """The parent of all errors; `message` says what failed, what is on disk, what to do."""

    exit_code = 70
    """What the command line exits with (sysexits)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message

    def __reduce__(
        self,
    ) -> tuple[Callable[..., BaseException], tuple[type[BaseException], dict[str, object]]]:
        return _rebuild, (type(self), dict(self.__dict__, args=self.args))


class _SystemError(HoldfastError, OSError):
    """One that is an `OSError` as well, with its errno and filename."""

    def __init__(self, message: str, *, errno: int, path: str) -> None:
        OSError.__init__(self, errno, message, path)
        self.message = message
        self.path = path

    def __reduce__(
        self,
    ) -> tuple[Callable[..., BaseException], tuple[type[BaseException], dict[str, object]]]:
        facts = dict(self.__dict__, errno=self.errno, strerror=self.strerror)
        return _rebuild, (type(self), dict(facts, filename=self.filename, args=self.args))


class LockTimeout(_SystemError, TimeoutError):
    """The lock was not free in time; nothing was changed and nothing is held.

    Attributes: `path` of the lock file, `waited_s`, `holder` (who has it, where the system tells).
    """

    exit_code = 75

    def __init__(self, message: str, *, path: str, waited_s: float, holder: object = None) -> None:
        super().__init__(message, errno=ETIMEDOUT, path=path)
        self.waited_s = waited_s
        self.holder = holder


class Conflict(HoldfastError):
    """Somebody else changed the file first; it holds their contents and nothing of yours.

    Attributes: `path`, and `conflicts`: the key paths that both sides changed (may be empty).
    """

    exit_code = 75

    def __init__(
        self, message: str, *, path: str, conflicts: tuple[tuple[str | int, ...], ...] = ()
    ) -> None:
        super().__init__(message)
        self.path = path
        self.conflicts = conflicts


class CommittedNotDurable(_SystemError):
    """The new contents are in place, but the folder's sync failed: a power cut may undo it.

    Every reader sees the new contents now. Attributes: `path`, `errno`.
    """

    exit_code = 74


class PromiseUnavailable(_SystemError):
    """What was asked for cannot be given for this target, which is untouched.

    Attributes: `path`, `errno`.
    """

    exit_code = 69


class PartlyCommitted(HoldfastError):
    """A batch failed after its first rename: `committed` hold the new contents, `failed` the old.

    Attributes: `committed`, a tuple of paths; `failed`, a mapping of path to the error that stopped
    it. A path whose error is a `CommittedNotDurable` is in place as well, but a power cut may undo
    it.
    """

    exit_code = 74

    def __init__(
        self, message: str, *, committed: tuple[str, ...], failed: Mapping[str, Exception]
    ) -> None:
        super().__init__(message)
        self.committed = committed
        self.failed = dict(failed)


class HandlePoisoned(HoldfastError):
    """A sync failed, here or in another process: this handle writes no more; open it anew.

    What was not known to be durable may be on disk or not, and only who opens it anew sees which.
    Attributes: `path`, `first` (the error of the sync, where it was this handle's own), `durable`
    (the last sequence number that is known to be on disk, where there are any).
    """

    exit_code = 74

    def __init__(
        self,
        message: str,
        *,
        path: str,
        first: BaseException | None = None,
        durable: int | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.first = first
        self.durable = durable


class Truncated(HoldfastError):
    """What a reader asked for was dropped by retention before it was read; the rest is there.

    Attributes: `path`, `asked` (the sequence number that is gone), `first` (the oldest that is
    kept).
    """

    exit_code = 66

    def __init__(self, message: str, *, path: str, asked: int, first: int) -> None:
        super().__init__(message)
        self.path = path
        self.asked = asked
        self.first = first


class Corruption(HoldfastError):
    """Bytes that were once acknowledged are damaged; they were left where they are.

    Attributes: `path`, `offset` in bytes, `expected` and `found`.
    """

    exit_code = 65

    def __init__(
        self,
        message: str,
        *,
        path: str,
        offset: int | None = None,
        expected: object = None,
        found: object = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset
        self.expected = expected
        self.found = found


class ChecksumMismatch(Corruption):
    """The bytes do not have the checksum that was written with them; they are left as they are."""


class BadFrame(Corruption):
    """What stands there is no frame, or not the one that belongs there; it is left as it is."""


class UnknownFormat(Corruption):
    """Another format, or a version newer than this program knows; the file is untouched."""


class DecodeError(HoldfastError, ValueError):
    """The document does not parse, or does not fit its type; the file is untouched.

    Attributes: `path`, `line` and `column` (from 1; None where there is no place), `key` (the key
    path, where the text parses but a value does not fit).
    """

    exit_code = 65

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int | None = None,
        column: int | None = None,
        key: tuple[str | int, ...] | None = None,
    ) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.column = column
        self.key = key


class Closed(HoldfastError, ValueError):
    """The object was used after it was closed; what it had acknowledged is on disk."""

    exit_code = 70
