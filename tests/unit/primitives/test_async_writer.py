"""Streams from coroutines."""

from __future__ import annotations

import asyncio
import os

import pytest

from holdfast.primitives.async_writer import AsyncWriter, aopen
from holdfast.vfs import SYSTEM
from holdfast.vfs.trace import Trace


class TestAsync:
    def test_body_commits_at_its_end(self, tmp_path) -> None:
        """The methods are awaited; the end of the body commits."""

        async def main() -> None:
            async with aopen(tmp_path / "a", "w") as file:
                assert 3 == await file.write("abc")
                await file.writelines(["d", "e"])
                await file.flush()
                assert 5 == await file.tell()
                await file.seek(4)
                await file.truncate()

        asyncio.run(main())

        assert b"abcd" == (tmp_path / "a").read_bytes()

    def test_exception_and_discard_leave_nothing(self, tmp_path) -> None:
        """As in the blocking form."""

        async def fails() -> None:
            async with aopen(tmp_path / "a", "w") as file:
                await file.write("abc")
                raise LookupError

        async def discards() -> None:
            async with aopen(tmp_path / "a", "wb") as file:
                await file.write(b"abc")
                await file.discard()

        with pytest.raises(LookupError):
            asyncio.run(fails())
        asyncio.run(discards())

        assert [] == os.listdir(tmp_path)

    def test_cancelled_while_it_opens_leaves_nothing(self, tmp_path) -> None:
        """The file that nobody receives is discarded."""
        started = asyncio.Event()
        vfs = Trace(SYSTEM)

        async def opens() -> AsyncWriter:
            async with aopen(tmp_path / "a", "w", vfs=vfs) as file:
                return file

        async def main() -> None:
            loop = asyncio.get_running_loop()

            def listen(call) -> None:
                if call.operation == "open":
                    loop.call_soon_threadsafe(started.set)

            vfs.subscribe(listen)
            task = asyncio.create_task(opens())
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())

        assert [] == os.listdir(tmp_path)
