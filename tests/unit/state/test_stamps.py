"""What time stamps prove, and what they do not."""

from __future__ import annotations

import json as json_
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Document
from holdfast.state.file_place import FileOptions
from holdfast.state.file_register import FileRegister
from holdfast.state.register import Content
from holdfast.vfs import SYSTEM, VFS, ManualClock
from holdfast.vfs.interpose import Call, Interposed
from holdfast.vfs.memory import MemoryVFS

WHOLE = 1_700_000_000_000_000_000
FRACTION = WHOLE + 123_456_789


@pytest.mark.parametrize(
    ("start_ns", "age_s", "trusted"),
    [
        (FRACTION, 0.0, False),
        (FRACTION, 0.019, False),
        (FRACTION, 0.021, True),
        (WHOLE, 0.021, False),
        (WHOLE, 1.9, False),
        (WHOLE, 2.1, True),
    ],
)
def test_signature_is_trusted_from_an_age_on(start_ns: int, age_s: float, trusted: bool) -> None:
    """I1: times prove nothing before 20 ms, whole seconds nothing before 2 s."""
    clock = ManualClock(start_ns=start_ns)
    disk = MemoryVFS(clock=clock)
    disk.core.fine_stamps = False
    disk.write_tree({"/a.json": b"{}"})
    clock.advance(age_s)
    register = register_of(disk, clock)
    content = register.read()

    assert trusted == (register.read(content) is content)
    assert content.data is register.read(content).data


def test_file_from_the_future_is_never_trusted() -> None:
    """I1: a clock that was set back proves nothing by its times."""
    disk = MemoryVFS(clock=ManualClock(start_ns=FRACTION))
    disk.core.fine_stamps = False
    disk.write_tree({"/a.json": b"{}"})
    register = register_of(disk, ManualClock(start_ns=FRACTION - 10**12))
    content = register.read()

    assert register.read(content) is not content


def written(disk: VFS, clock: ManualClock) -> tuple[FileRegister, Content]:
    """The register of /a.json, and what was just written through it."""
    register = register_of(disk, clock)
    with register.exclusive() as place:
        content = place.write(b"[1]", replacing=place.read())
    return register, content


def test_fine_stamps_prove_at_once_what_we_wrote() -> None:
    """I2: where every change after a look has other stamps, a young file of ours is proven."""
    clock = ManualClock(start_ns=FRACTION)
    disk = MemoryVFS(clock=clock)
    register, content = written(disk, clock)

    assert content is register.read(content)

    folder = disk.folder("/")
    file = folder.open("a.json", "write")
    file.write(b"[2]")
    file.close()
    folder.close()

    assert b"[2]" == register.read(content).data


def test_fine_stamps_prove_nothing_of_what_was_read() -> None:
    """I1: a write stamps the file before it copies its bytes, so it may be under way."""
    clock = ManualClock(start_ns=FRACTION)
    disk = MemoryVFS(clock=clock)
    disk.write_tree({"/a.json": b"{}"})
    register = register_of(disk, clock)
    content = register.read()

    assert content is not register.read(content)


def test_whole_seconds_prove_nothing_of_what_we_wrote() -> None:
    """I2: ext4 with small inodes has whole seconds, whatever its name promises."""
    clock = ManualClock(start_ns=WHOLE)
    disk = CoarseVFS(clock=clock)
    disk.core.fine_stamps = False
    register, content = written(disk, clock)

    assert content is not register.read(content)


def test_slow_sync_does_not_age_what_we_wrote() -> None:
    """I1: the age counts at the look, which comes before the sync of the folder."""
    clock = ManualClock(start_ns=FRACTION)
    disk = SlowSync(MemoryVFS(clock=clock), clock)
    disk.inner.core.fine_stamps = False  # type: ignore[attr-defined]
    register, content = written(disk, clock)

    assert content is not register.read(content)


class SlowSync(Interposed):
    """A filesystem whose folders take a second to sync."""

    def __init__(self, inner: MemoryVFS, clock: ManualClock) -> None:
        super().__init__(inner)
        self._clock = clock

    def around(self, call: Call, do: Callable[[], Any]) -> Any:
        """Let the time pass."""
        if call.operation == "sync_folder":
            self._clock.advance(1)
        return do()


class CoarseVFS(MemoryVFS):
    """A filesystem with whole seconds that is taken for one with fine stamps."""

    def fine_stamps(self, path: str, device: int) -> bool:
        """Say so."""
        del path, device
        return True


@pytest.mark.skipif(not os.path.isdir("/dev/shm"), reason="there is no second filesystem")
def test_stamps_are_judged_where_the_file_is(tmp_path: Path) -> None:
    """I2: the folder of a symlink says nothing of the filesystem that it leads to."""
    fine = SYSTEM.fine_stamps(str(tmp_path), tmp_path.stat().st_dev)
    other = os.stat("/dev/shm").st_dev
    if other == tmp_path.stat().st_dev:
        pytest.skip("there is no second filesystem")

    assert not SYSTEM.fine_stamps(str(tmp_path), other)
    assert fine == SYSTEM.fine_stamps(str(tmp_path / "missing"), tmp_path.stat().st_dev)


class WritesIntoTheNewFile(Interposed):
    """A filesystem on which somebody writes into the new file as soon as it is in place."""

    def around(self, call: Call, do: Callable[[], Any]) -> Any:
        """Write two bytes, in place."""
        result = do()
        if call.operation == "rename":
            folder = self.inner.folder("/")
            file = folder.open("a.json", "write")
            file.write(b"[]")
            file.close()
            folder.close()
        return result


@pytest.mark.parametrize("value", [1, 10])
def test_bytes_that_somebody_wrote_into_the_new_file_are_seen(value: int) -> None:
    """I2: what was written is no proof when another has written behind it."""
    disk = MemoryVFS(clock=ManualClock())
    disk.write_tree({"/a.json": b"{ }"})
    document = Document("/a.json", object, vfs=WritesIntoTheNewFile(disk))
    document.write(value)

    assert json_.loads(disk.tree()["a.json"] or b"") == document.read()


def register_of(disk: VFS, clock: ManualClock) -> FileRegister:
    """The register of /a.json."""
    options = FileOptions(
        lock=True,
        sync="always",
        permissions=None,
        keep=0,
        max_size_bytes=1 << 20,
        vfs=disk,
        clock=clock,
    )
    return FileRegister("/a.json", options)
