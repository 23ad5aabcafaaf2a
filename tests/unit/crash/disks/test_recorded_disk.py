"""A recorded filesystem, its crashes, and that nothing is left of it. Needs root."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.crash.disks.block_log import Kind
from holdfast.crash.disks.filesystems import missing, variant
from holdfast.crash.disks.images import blocks_of, crash_images
from holdfast.crash.disks.recorded_disk import RecordedDisk

LACKS = missing(["ext4"])
pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(LACKS), reason=f"missing: {'; '.join(LACKS)}"),
]


def prepare(folder: str) -> None:
    Path(folder, "a").write_bytes(b"before")


@pytest.fixture(autouse=True)
def nothing_left(tmp_path, monkeypatch) -> Iterator[None]:
    """After each test no mount, no loop device and no folder of it is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield

    assert str(tmp_path) not in Path("/proc/self/mounts").read_text("ascii")
    assert [] == [path for path in devices() if str(tmp_path) in path]
    assert [] == list(tmp_path.iterdir())


def devices() -> list[str]:
    """What loop devices stand on."""
    return [path.read_text() for path in Path("/sys/block").glob("loop*/loop/backing_file")]


def test_crash_shows_only_what_was_flushed_and_leaves_no_trace() -> None:
    """What was synced before the mark is in every image; mounts, devices and folders are gone."""
    with RecordedDisk(variant("ext4"), prepare) as disk:
        with disk.recorded() as folder:
            disk.mark("begin")
            with open(os.path.join(folder, "b"), "wb") as file:
                file.write(b"synced")
                file.flush()
                os.fsync(file.fileno())
            disk.mark("saved")
            records, log = disk.log()
        start = next(n for n, record in enumerate(records) if record.text == "saved") + 1
        for image in crash_images(records, log, start=start):
            with disk.crashed(blocks_of(image, records)) as folder:
                assert b"synced" == Path(folder, "b").read_bytes()
                assert b"before" == Path(folder, "a").read_bytes()

    assert {Kind.WRITE, Kind.FLUSH, Kind.MARK} == {record.kind for record in records}


def test_error_in_the_body_leaves_no_trace() -> None:
    """The exception comes through, and everything is taken down as after a good end."""
    with (
        pytest.raises(ZeroDivisionError),
        RecordedDisk(variant("ext4"), prepare) as disk,
        disk.recorded() as folder,
    ):
        assert any(folder.removesuffix("disk") in path for path in devices())
        raise ZeroDivisionError


def test_image_that_does_not_mount_is_an_error_and_the_next_one_mounts() -> None:
    """A device of rubbish is refused by the filesystem; the server goes on."""
    with RecordedDisk(variant("ext4"), prepare) as disk:
        with disk.recorded() as folder:
            Path(folder, "c").write_bytes(bytes(4096) + b"rubbish" * 5000)
            descriptor = os.open(os.path.join(folder, "c"), os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
            _, log = disk.log()
        rubbish = log.index(b"rubbish")
        with pytest.raises(OSError, match="image"), disk.crashed({0: rubbish}):
            pytest.fail("it was mounted")
        with disk.crashed({}) as folder:
            assert b"before" == Path(folder, "a").read_bytes()
