"""Who holds a lock, asked from an event loop: one look, on a thread of its own, answers all."""

from __future__ import annotations

from holdfast.light_threading import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

    from holdfast.primitives.lock_file import LockFile
    from holdfast.vfs import Holder

__all__ = ["HolderLookup"]


class HolderLookup:
    """Answers tasks. Not on an executor: its threads may all be waiting for the very lock."""

    __slots__ = ("asking", "file", "mutex")

    def __init__(self, file: LockFile) -> None:
        self.file = file
        self.reset()

    def reset(self) -> None:
        """Begin with nobody asking."""
        self.mutex = RLock()
        self.asking: list[tuple[AbstractEventLoop, Future[Holder | None]]] = []

    async def ask(self) -> Holder | None:
        """Say who holds the lock; None where nobody tells, or the file cannot be read."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        future: Future[Holder | None] = loop.create_future()
        with self.mutex:
            self.asking.append((loop, future))
            if len(self.asking) == 1 and not self._start():
                self.asking.clear()
                return None
        return await future

    def _start(self) -> bool:
        from threading import Thread

        name = f"holdfast-lock-holder-{self.file.name}"
        try:
            Thread(target=self._answer, name=name, daemon=True).start()
        except RuntimeError:  # no more threads: the message will name nobody
            return False
        return True

    def _answer(self) -> None:
        is_asked = True
        while is_asked:
            with self.mutex:
                asking = self.asking.copy()
            holder = self.file.holder_or_none()
            for loop, future in asking:
                try:
                    loop.call_soon_threadsafe(_resolve, future, holder)
                except RuntimeError:
                    pass  # its event loop is closed
            with self.mutex:
                del self.asking[: len(asking)]
                is_asked = bool(self.asking)


def _resolve(future: Future[Holder | None], holder: Holder | None) -> None:
    if not future.done():
        future.set_result(holder)
