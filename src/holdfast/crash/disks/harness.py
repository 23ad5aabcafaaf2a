"""Runs a workload on a real filesystem, cuts the power everywhere, and checks what is left.

A workload acknowledges what it has done through `mark`. For each crash image the check gets the
folder as the filesystem recovered it, and the acknowledgements that had been given at the latest
moment at which that image may be seen: whoever has told more has promised more. It raises if a
promise is broken.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, nullcontext
from errno import errorcode
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.disks.block_log import Kind
from holdfast.crash.disks.faults import NO_FAULTS, DeviceFaults
from holdfast.crash.disks.images import ImageOptions, blocks_of, crash_images
from holdfast.crash.disks.recorded_disk import RecordedDisk
from holdfast.crash.disks.trees import canonical, read_tree
from holdfast.vfs.operations import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from holdfast.crash.disks.block_log import Record
    from holdfast.crash.disks.filesystems import Variant
    from holdfast.crash.disks.images import CrashImage
    from holdfast.vfs.operations import Node

__all__ = ["CONTENT", "DEVICES", "Result", "Workload", "neighbour", "prove"]

CONTENT = b"contents of a workload "
"""What every piece of data of a workload begins with: so the device knows data when they come."""

DEVICES: dict[str, DeviceFaults] = {
    "plain": NO_FAULTS,
    "slow": DeviceFaults(delay_s=0.02, delay_matching=CONTENT),
    "EIO on data": DeviceFaults(fail_writes=(2, 1), fail_matching=CONTENT),
    "EIO on a flush": DeviceFaults(fail_flushes=(3, 1)),
}
"""The devices that workloads are run on, by name; on the slow one a neighbour syncs meanwhile."""

_WHOLE = ("plain", "slow")
_BEGIN = "begin"
_SOME = ImageOptions(limit=60)
_NEIGHBOUR = "neighbour"
_NEIGHBOUR_PAUSE_S = 0.003
_NEIGHBOUR_SYNCS_MAX = 10_000


class Workload(NamedTuple):
    """A program with promises.

    `prepare(folder)` makes what is there before; `run(folder, mark)` works and acknowledges;
    `check(folder, acked)` raises if a promise is broken. `caught_on`: names of variants where the
    check *must* find something, for programs that are broken on purpose.
    """

    name: str
    prepare: Callable[[str], object]
    run: Callable[[str, Callable[[str], None]], object]
    check: Callable[[str, Sequence[str]], object]
    caught_on: frozenset[str] = frozenset()


class Result(NamedTuple):
    """What one workload came to on one filesystem and one device.

    `complaint` is the first violation in words. `reached` is the error that the program saw on a
    failing device. `must_fail`: None where either way is right.
    """

    filesystem: str
    workload: str
    device: str
    images: int
    trees: int
    violations: int
    unmountable: int
    complaint: str
    reached: str
    must_fail: bool | None
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it came out as it must; a filesystem that does not come back never does."""
        if self.must_fail is None:
            return True
        return bool(self.violations) if self.must_fail else not self.violations + self.unmountable


class _Tally:
    """What the images of one run showed."""

    def __init__(self) -> None:
        self.images = 0
        self.unmountable = 0
        self.violations = 0
        self.complaint = ""
        self.trees: set[tuple[Node, ...]] = set()

    def complain(self, text: str) -> None:
        self.violations += 1
        self.complaint = self.complaint or text


def prove(
    workload: Workload,
    variant: Variant,
    *,
    devices: Sequence[str] = _WHOLE,
    options: ImageOptions = _SOME,
) -> list[Result]:
    """Run it on each device and return a result for each; what must not tear is left whole."""
    choices = options._replace(never_torn=variant.filesystem.never_torn)
    with RecordedDisk(variant, workload.prepare, block_bytes=options.block_bytes) as disk:
        return [_prove_on(disk, workload, device, options=choices) for device in devices]


def _prove_on(
    disk: RecordedDisk, workload: Workload, device: str, *, options: ImageOptions
) -> Result:
    began, tally = time.monotonic(), _Tally()
    reached, records, log = _record(disk, workload, device)
    start = next(n for n, record in enumerate(records) if record.text == _BEGIN) + 1
    texts = [record.text for record in records if record.kind == Kind.MARK][1:]
    for image in crash_images(records, log, start=start, options=options):
        _look(disk, workload, (image, records, texts, tally))
    if not reached and (failed := _failed(records)):
        tally.complain(f"{failed} requests failed, and the program saw no error")
    return Result(
        disk.variant.name,
        workload.name,
        device,
        tally.images,
        len(tally.trees),
        tally.violations,
        tally.unmountable,
        tally.complaint,
        reached,
        _must_fail(workload, disk.variant, device),
        time.monotonic() - began,
    )


def _must_fail(workload: Workload, variant: Variant, device: str) -> bool | None:
    """A safe program must be clean; a broken one is caught where that is sure; else either."""
    is_whole = device in _WHOLE
    if is_whole and (variant.unsafe or variant.name in workload.caught_on):
        return True
    return None if variant.unsafe or workload.caught_on else False


def _record(disk: RecordedDisk, workload: Workload, device: str) -> tuple[str, list[Record], bytes]:
    reached = ""
    with (
        disk.recorded(faults=DEVICES[device]) as folder,
        neighbour(folder) if device == "slow" else nullcontext(),
    ):
        disk.mark(_BEGIN)
        try:
            workload.run(folder, disk.mark)
        except OSError as error:
            if device in _WHOLE:
                raise
            reached = f"{type(error).__name__}, {errorcode.get(error.errno or 0, 'no errno')}"
        records, log = disk.log()
    return reached, records, log


@contextmanager
def neighbour(folder: str) -> Generator[None]:
    """Another program that syncs its own file all the time, and so makes the journal commit.

    What it syncs is not what the workload does: a promise that holds only because a journal happens
    to commit in order would be found out.
    """
    path, stop = os.path.join(folder, _NEIGHBOUR), threading.Event()

    def work() -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            for number in range(_NEIGHBOUR_SYNCS_MAX):
                os.pwrite(descriptor, b"%d" % number, 0)
                os.fsync(descriptor)
                if stop.wait(_NEIGHBOUR_PAUSE_S):
                    break
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=work, name="holdfast-neighbour", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _look_of(folder: str) -> tuple[Node, ...]:
    """The tree, without what the neighbour left in it."""
    tree = read_tree(folder)
    entries = tuple(entry for entry in tree[ROOT].entries if entry[0] != _NEIGHBOUR)
    return canonical({**tree, ROOT: tree[ROOT]._replace(entries=entries)})


def _failed(records: Sequence[Record]) -> int:
    return sum(record.kind in {Kind.FAILED_WRITE, Kind.FAILED_FLUSH} for record in records)


def _look(
    disk: RecordedDisk,
    workload: Workload,
    at: tuple[CrashImage, Sequence[Record], Sequence[str], _Tally],
) -> None:
    """Mount one image and check it."""
    image, records, texts, tally = at
    blocks = blocks_of(image, records, block_bytes=disk.block_bytes)
    tally.images += 1
    try:
        with disk.crashed(blocks) as folder:
            tally.trees.add(_look_of(folder))
            latest = image.moments[-1]
            acked = texts[: latest.marks - 1]
            if (complaint := _complaint(workload, folder, acked)) is not None:
                tally.complain(f"{complaint} (acknowledged: {len(acked)}; survived: {latest.how})")
    except OSError as error:
        tally.unmountable += 1
        tally.complaint = tally.complaint or f"it cannot be mounted or read: {error}"


def _complaint(workload: Workload, folder: str, acked: Sequence[str]) -> str | None:
    try:
        workload.check(folder, acked)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None
