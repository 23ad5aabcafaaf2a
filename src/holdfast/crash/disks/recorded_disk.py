"""A real filesystem on a device that writes down everything, and the images of its crashes.

Three processes have a part: this one mounts, works and syncs; the kernel; and the server of
`fuse_server`, which must not be this one. Everything that is set up here is taken down at the end
of the `with` body, and by the kernel when this process dies.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Self

from holdfast.crash.disks.block_log import parse_log
from holdfast.crash.disks.faults import NO_FAULTS
from holdfast.crash.disks.fuse_server import COMMAND, DISK, IMAGE, LENGTH
from holdfast.crash.disks.loop import attached
from holdfast.crash.disks.memory import read_all
from holdfast.crash.disks.mounting import mounted
from holdfast.crash.disks.overlay import pack_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from types import TracebackType

    from holdfast.crash.disks.block_log import Record
    from holdfast.crash.disks.faults import DeviceFaults
    from holdfast.crash.disks.filesystems import Variant

__all__ = ["RecordedDisk"]

_PATIENCE_S = 60.0


class RecordedDisk:
    """One filesystem, made and prepared once; recorded and crashed as often as wanted.

    Args:
        variant: the filesystem and its mount options.
        prepare: puts into a folder what is there, durable, before each recording.
        block_bytes: what the device writes as one piece.
    """

    def __init__(
        self, variant: Variant, prepare: Callable[[str], object], *, block_bytes: int = 4096
    ) -> None:
        self.variant = variant
        self.block_bytes = block_bytes
        self._prepare = prepare
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self._folder = undo.enter_context(_scratch_folder())
            self._base = _memory_file(undo, "base", self.variant.filesystem.size_bytes)
            self._log = _memory_file(undo, "log", 0)
            self._make_base()
            self._start_server(undo)
            self._files = {
                name: _opened(undo, os.path.join(self._folder, "server", name))
                for name in (DISK, IMAGE)
            }
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo.__exit__(kind, error, trace)

    def _make_base(self) -> None:
        command = [*self.variant.filesystem.make, f"/proc/self/fd/{self._base}"]
        subprocess.run(  # noqa: S603 (our own list)
            command, check=True, pass_fds=[self._base], capture_output=True, timeout=_PATIENCE_S
        )
        with self._device_mounted(self._base, "disk", direct=False) as folder:
            shutil.rmtree(os.path.join(folder, "lost+found"), ignore_errors=True)
            os.chmod(folder, 0o755)  # noqa: S103 (what each mkfs gives differs)
            self._prepare(folder)

    def _start_server(self, undo: ExitStack) -> None:
        """Mount first: before that, /dev/fuse cannot be read. It has answered before any use."""
        fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        ours, theirs = socket.socketpair()
        try:
            options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0"
            folder = os.path.join(self._folder, "server")
            undo.enter_context(mounted("holdfast", folder, kind="fuse", options=options))
            descriptors = [fuse, theirs.fileno(), self._base, self._log]
            command = [sys.executable, "-m", "holdfast.crash.disks.fuse_server"]
            command += map(str, descriptors)
            undo.enter_context(_running(command, descriptors))
            undo.callback(ours.close)  # that is how it learns that it is over
        finally:
            theirs.close()
            os.close(fuse)
        ours.settimeout(_PATIENCE_S)
        self._control = ours
        self._command(b"R")

    @contextmanager
    def recorded(self, *, faults: DeviceFaults = NO_FAULTS, direct: bool = True) -> Generator[str]:
        """Yield the folder of the freshly prepared filesystem; from here on all is recorded.

        `faults` come into force with the body and end with it.
        """
        self._command(b"R")
        with self._device_mounted(self._files[DISK], "disk", direct=direct) as folder:
            self._command(b"F", faults.as_json())
            try:
                yield folder
            finally:
                self._command(b"F", NO_FAULTS.as_json())

    def mark(self, text: str) -> None:
        """Write a mark into the log, after all that is complete and before all that follows."""
        self._command(b"M", text.encode())

    def log(self) -> tuple[list[Record], bytes]:
        """Return what was recorded since the last `recorded` began, and the bytes of it."""
        self._command(b"S")
        answer = self._control.recv(LENGTH.size, socket.MSG_WAITALL)
        data = read_all(self._log, LENGTH.unpack(answer)[0])
        return parse_log(data), data

    @contextmanager
    def crashed(self, blocks: Mapping[int, int], *, read_only: bool = False) -> Generator[str]:
        """Mount what a crash left (`images.blocks_of`); yield the folder after the recovery.

        Raises:
            OSError: The filesystem does not mount it.
        """
        self._command(b"I", pack_blocks(blocks, self.block_bytes))
        mount = self._device_mounted(
            self._files[IMAGE], "image", direct=False, more="ro" if read_only else ""
        )
        with mount as folder:
            yield folder

    @contextmanager
    def _device_mounted(
        self, descriptor: int, name: str, *, direct: bool, more: str = ""
    ) -> Generator[str]:
        folder = os.path.join(self._folder, name)
        options = ",".join(filter(None, (self.variant.mount_options, more)))
        kind = self.variant.filesystem.name
        with (
            attached(descriptor, block_bytes=self.block_bytes, direct=direct) as device,
            mounted(device, folder, kind=kind, options=options),
        ):
            yield folder

    def _command(self, command: bytes, message: bytes = b"") -> None:
        self._control.sendall(COMMAND.pack(command, len(message)) + message)
        if self._control.recv(1) != command:
            raise ConnectionError("the server of the block device ended; its error stands above")


@contextmanager
def _scratch_folder() -> Generator[str]:
    """A folder for mount points; never emptied through a mount that is still there."""
    folder = tempfile.mkdtemp(prefix="holdfast-disks-")
    names = ("server", "disk", "image")
    for name in names:
        os.mkdir(os.path.join(folder, name))
    try:
        yield folder
    finally:
        for name in names:
            os.rmdir(os.path.join(folder, name))
        os.rmdir(folder)


def _memory_file(undo: ExitStack, name: str, size_bytes: int) -> int:
    descriptor = os.memfd_create(f"holdfast-{name}", os.MFD_CLOEXEC)
    undo.callback(os.close, descriptor)
    os.ftruncate(descriptor, size_bytes)
    return descriptor


def _opened(undo: ExitStack, path: str) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    undo.callback(os.close, descriptor)
    return descriptor


@contextmanager
def _running(command: list[str], descriptors: list[int]) -> Generator[None]:
    """A child for the time of the body; it ends by itself when its mount is gone."""
    child = subprocess.Popen(  # noqa: S603 (our own program)
        command, pass_fds=descriptors, stdin=subprocess.DEVNULL, process_group=0
    )  # a group of its own: an interrupt from the keyboard must not take it from under a mount
    try:
        yield
    except BaseException:
        child.kill()
        raise
    finally:
        try:
            child.wait(_PATIENCE_S / 10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
