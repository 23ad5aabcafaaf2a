"""Write a file as a stream from a coroutine; the guarantee is that of `writer`."""

from __future__ import annotations

from holdfast.primitives.asyncio_bridge import run
from holdfast.primitives.writer import open
from holdfast.vfs import SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Any, Literal

    from typing_extensions import Buffer

    from holdfast.primitives.writer import BinaryWriter, TextWriter
    from holdfast.vfs import VFS, Sync

__all__ = ["AsyncWriter", "aopen"]


class AsyncWriter:
    """The file that `aopen` gives: the methods of a writer, awaited."""

    def __init__(self, file: TextWriter | BinaryWriter) -> None:
        self.file = file

    async def write(self, data: str | Buffer) -> int:
        """Write; see `open`."""
        writer: Any = self.file
        return await run(lambda: int(writer.write(data)))

    async def writelines(self, lines: Iterable[str] | Iterable[Buffer]) -> None:
        """Write each; see `open`."""
        writer: Any = self.file
        await run(lambda: writer.writelines(lines))

    async def flush(self) -> None:
        """Pass what is buffered to the system; nothing is in place yet."""
        await run(self.file.flush)

    async def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position."""
        return await run(lambda: self.file.seek(offset, whence))

    async def tell(self) -> int:
        """Return the position."""
        return await run(self.file.tell)

    async def truncate(self, size: int | None = None) -> int:
        """Cut or extend, by default to the position."""
        return await run(lambda: self.file.truncate(size))

    async def close(self) -> None:
        """Commit, once; see `open`."""
        await run(self.file.close)

    async def discard(self) -> None:
        """Close without commit."""
        await run(self.file.discard)


class aopen:  # noqa: N801 (used as a function is)
    """`open` for asyncio: `async with aopen(path, "w") as file: await file.write(...)`.

    The same arguments, guarantees and errors; the file is an `AsyncWriter`. A cancelled body
    discards.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mode: Literal["w", "wb", "x", "xb"],
        *,
        encoding: str = "utf-8",
        newline: str | None = None,
        sync: Sync = "always",
        permissions: int | None = None,
        backup: str | os.PathLike[str] | None = None,
        vfs: VFS = SYSTEM,
    ) -> None:
        options: dict[str, Any] = {
            "encoding": encoding, "newline": newline, "sync": sync,
            "permissions": permissions, "backup": backup, "vfs": vfs,
        }  # fmt: skip
        self._open = lambda: open(path, mode, **options)
        self._writer: AsyncWriter | None = None

    async def __aenter__(self) -> AsyncWriter:
        self._writer = AsyncWriter(await run(self._open, undo=lambda file: file.discard()))
        return self._writer

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            await (self._writer.close() if kind is None else self._writer.discard())
