"""The folder of a log on the memory filesystem, or on that of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from holdfast.formats.log_format import decode_segment, first_of
from holdfast.formats.log_scan import Tail
from holdfast.vfs import SYSTEM, VFS
from holdfast.vfs.memory import MemoryVFS
from tests.support.log_crashes import read_log


class Place:
    """Files are put there, looked at, and read as a log."""

    def __init__(self, root: Path | None) -> None:
        self.root = root
        self.vfs: VFS = SYSTEM if root else MemoryVFS()
        self.path = str(root / "log") if root else "/log"

    def put(self, files: Mapping[str, bytes], vfs: MemoryVFS | None = None) -> Place:
        """Write files, by their paths from the top; another filesystem than before, if asked."""
        for name, data in files.items():
            if self.root:
                path = self.root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            else:
                self.vfs.write_tree({name: data})  # type: ignore[attr-defined]
        return self

    def at(self, name: str) -> str:
        """The path of something beside the log."""
        return str(self.root / name) if self.root else f"/{name}"

    def files(self, name: str = "log") -> dict[str, bytes]:
        """What is in a folder; nothing if it is not there."""
        try:
            folder = self.vfs.folder(self.at(name), readable=True)
        except FileNotFoundError:
            return {}
        found = {}
        try:
            for entry in sorted(folder.names()):
                file = folder.open(entry, "read")
                found[entry] = file.read(1 << 26, offset=0)
                file.close()
        finally:
            folder.close()
        return found

    def segments(self, name: str = "log") -> list[bytes]:
        """The contents of the segments, in order."""
        return [data for entry, data in self.files(name).items() if first_of(entry)]


def salvaged(place: Place, name: str) -> tuple[dict[int, bytes], Tail]:
    """The records of a log that a repair has written, gaps between segments allowed."""
    records: dict[int, bytes] = {}
    tail = Tail("clean", 512, 0, 0, "")
    segments = place.segments(name)
    for number, data in enumerate(segments):
        header = decode_segment(data[:512], path=name)
        if number + 1 < len(segments):
            after = decode_segment(segments[number + 1][:512], path=name)
            assert (header.first, header.salt) == (after.previous_first, after.previous_salt)
            assert len(data) == after.previous_end
        found = read_log([data])
        records |= found.records
        tail = found.tail
    return records, tail
