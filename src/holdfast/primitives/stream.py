"""Append to a file as to any open file, and lose no more than a stated window in a power cut.

Guarantee: that of `holdfast.primitives.stream_window`: what was written is durable after
    `sync_every_s` and one sync at the latest, also when nobody writes again, and no more than
    `max_unsynced_bytes` wait for it. A killed process loses nothing but what it chose to buffer
    (`buffer_bytes`). Not guaranteed: that the end of the file is whole after a power cut. What was
    not synced may be there, be missing, or be zeros in part; a reader needs a format that tells.

I1  A `write` takes all, or raises; then `characters_written` of the error says how much.
I2  `close` syncs. A stream that nobody closed warns, and is closed.
"""

from __future__ import annotations

import io
import sys
import warnings
from threading import TIMEOUT_MAX

from holdfast.errors import Closed
from holdfast.primitives.asyncio_bridge import run
from holdfast.primitives.stream_file import StreamFile
from holdfast.primitives.stream_window import Window
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from types import TracebackType
    from typing import Self

    from typing_extensions import Buffer

    from holdfast.vfs import VFS, Clock

__all__ = ["Stream"]


class Stream(io.BufferedIOBase):
    """A binary file that is appended to: for `csv`, `gzip`, `print` and all else that wants one.

    What was written is durable after `sync_every_s` and one sync at the latest. A power cut loses
    what was written later, and may leave zeros or old bytes in its place; it never touches what was
    durable. A `TextIOWrapper` around it makes it a text file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        sync_every_s: float = 1.0,
        max_unsynced_bytes: int = 16 << 20,
        buffer_bytes: int = 0,
        permissions: int = 0o666,
        vfs: VFS = SYSTEM,
        clock: Clock = CLOCK,
    ) -> None:
        """Open the file at its end; what was in it is durable on return.

        A missing file, and missing folders above it, are made; the name is durable with the first
        sync. One process at a time has it open, and the children that it forks.

        Args:
            path: the file; a symlink is followed.
            sync_every_s: a byte waits no longer for its sync to begin.
            max_unsynced_bytes: no more than these wait; a write that would exceed them syncs first.
            buffer_bytes: gather so much before the system is called. A killed process loses it.
            permissions: of a new file, less the umask.
            vfs: the filesystem.
            clock: the time.

        Raises:
            LockTimeout: another stream has it open; it is untouched.
            PromiseUnavailable: it is no regular file; it is untouched.
            OSError: it cannot be opened, or synced; at most it was made, and is empty.
            ValueError: an option has no meaning; nothing was done.
        """
        if not 0 < sync_every_s <= TIMEOUT_MAX:
            raise ValueError(f"sync_every_s={sync_every_s!r}: it must be more than 0")
        if max_unsynced_bytes < 1:
            raise ValueError(f"max_unsynced_bytes={max_unsynced_bytes!r}: it must be at least 1")
        if not 0 <= buffer_bytes <= max_unsynced_bytes:
            raise ValueError(
                f"buffer_bytes={buffer_bytes!r}: it must be from 0 to max_unsynced_bytes"
            )
        file = StreamFile(path, permissions=permissions, vfs=vfs)
        self.name = file.path
        self.mode = "ab"
        self._window = Window(
            file,
            sync_every_s=sync_every_s,
            max_unsynced_bytes=max_unsynced_bytes,
            buffer_bytes=buffer_bytes,
            clock=clock,
        )

    def writable(self) -> bool:
        """True: that is what it is for."""
        return True

    def tell(self) -> int:
        """Return where the next byte goes, as `written`."""
        return self._window.written

    def write(self, data: Buffer, /) -> int:
        """Append all of `data`; the system has it on return, unless it is buffered.

        When the window is full, it syncs first, or waits for the sync under way. A write that fits
        into the window is one piece in the file, whoever else writes.

        Raises:
            HandlePoisoned: a sync has failed; nothing was written.
            Closed: it is closed; nothing was written.
            OSError: `characters_written` says how many bytes of `data` were taken. A sync that
                failed poisons it.
        """
        if type(data) is bytes:
            return self._window.write(data)
        view = memoryview(data)
        # A view that holds nothing cannot always be cast.
        return self._window.write(view.cast("B") if view.nbytes else b"")

    def flush(self) -> None:
        """Pass what is buffered to the system: safe from a kill, not from a power cut.

        Raises:
            HandlePoisoned: a sync has failed; what was buffered is lost.
            Closed: it is closed.
            OSError: not all could be written; the rest stays buffered.
        """
        if self.closed:
            raise Closed(f"{self.name}: is closed. What was written stands. Open it anew.")
        self._window.flush()

    def sync(self) -> None:
        """Return when all that was written is on stable storage, and the file's name too.

        Threads that call it at once share a sync.

        Raises:
            HandlePoisoned: an earlier sync failed; its `durable` says what is safe.
            Closed: it is closed.
            OSError: this sync failed; what is past `durable` may be lost, and every later call is
                `HandlePoisoned`. Or what is buffered cannot be written; it stays buffered.
        """
        self._window.sync()

    @property
    def written(self) -> int:
        """The position, in bytes from the start of the file, behind all that was written."""
        return self._window.written

    @property
    def durable(self) -> int:
        """The position up to which a power cut takes nothing."""
        return self._window.durable

    @property
    def unsynced_bytes(self) -> int:
        """How many bytes a power cut may take now."""
        return self._window.unsynced_bytes

    @property
    def oldest_unsynced_s(self) -> float | None:
        """For how many seconds the oldest of them has been waiting; None if there are none."""
        return self._window.oldest_unsynced_s

    async def awrite(self, data: Buffer, /) -> int:
        """`write` for asyncio: a full window does not block the event loop."""
        return await run(lambda: self.write(data))

    async def aflush(self) -> None:
        """`flush` for asyncio."""
        await run(self.flush)

    async def abarrier(self) -> None:
        """`sync` for asyncio, by the name that a log gives it: `async` is a word of Python."""
        await run(self.sync)

    async def aclose(self) -> None:
        """`close` for asyncio."""
        await run(self.close)

    def close(self) -> None:
        """Sync, and close; idempotent.

        Raises:
            HandlePoisoned: a sync has failed; it is closed, and what is past `durable` may be lost.
            OSError: not all is durable; it is closed.
        """
        if self.closed:
            return
        try:
            self._window.close()
        finally:
            super().close()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        window: Window | None = getattr(self, "_window", None)
        if window is None or self.closed:
            return
        try:
            if window.is_own:
                message = f"{self.name}: collected without close(). It is synced now. Use `with`."
                warnings.warn(message, ResourceWarning, source=self, stacklevel=2)
        finally:
            if sys.is_finalizing():  # its thread is stopped, perhaps with a lock in its hands
                window.abandon()
            else:
                self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{self.written} bytes, {self.durable} durable"
        return f"<holdfast.Stream {self.name!r}, {state}>"
