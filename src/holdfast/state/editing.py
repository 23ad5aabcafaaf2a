"""`holdfast.edit`: a document, one change, in one `with`."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager

from holdfast.formats.plain import MISSING
from holdfast.state.document import Document
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Generator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import Any

    from holdfast.formats.codec import Codec
    from holdfast.vfs import VFS, Sync

__all__ = ["aedit", "edit"]


def edit(
    path: str | os.PathLike[str],
    *,
    default: Any = MISSING,
    timeout_s: float | None = None,
    codec: str | Codec | None = None,
    sync: Sync = "always",
    vfs: VFS = SYSTEM,
) -> AbstractContextManager[Any]:
    """Edit a state file in one `with`: lock, read, change the dict in place, replace, unlock.

    A clean exit is durable; an exception inside writes nothing. `default` stands for a missing file
    only.

        with holdfast.edit("state.json", default={}) as state:
            state["runs"] = state.get("runs", 0) + 1

    Raises:
        LockTimeout: somebody else holds the lock; nothing was changed.
        FileNotFoundError: missing, and no `default` was given.
        DecodeError: the present contents do not decode; they are untouched.
    """
    document: Document[Any] = Document(
        path, object, default=default, codec=codec, sync=sync, vfs=vfs
    )
    return _edited(document, timeout_s)


def aedit(
    path: str | os.PathLike[str],
    *,
    default: Any = MISSING,
    timeout_s: float | None = None,
    codec: str | Codec | None = None,
    sync: Sync = "always",
    vfs: VFS = SYSTEM,
) -> AbstractAsyncContextManager[Any]:
    """`edit` for asyncio: `async with holdfast.aedit("state.json", default={}) as state:`.

    Raises:
        LockTimeout: somebody else holds the lock; nothing was changed.
    """
    document: Document[Any] = Document(
        path, object, default=default, codec=codec, sync=sync, vfs=vfs
    )
    return _aedited(document, timeout_s)


@contextmanager
def _edited(document: Document[Any], timeout_s: float | None) -> Generator[Any]:
    with document, document.edit(timeout_s=timeout_s) as value:
        yield value


@asynccontextmanager
async def _aedited(document: Document[Any], timeout_s: float | None) -> AsyncGenerator[Any]:
    with document:
        async with document.aedit(timeout_s=timeout_s) as value:
            yield value
