"""One file in a folder: proofs that it is unchanged, what is no document, moving damage away."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest

from holdfast import DecodeError, Document, PromiseUnavailable
from holdfast.vfs import ManualClock
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.linux import LinuxFile
from holdfast.vfs.memory import MemoryVFS
from tests.support.stand_ins import standing_in
from tests.support.state_files import others


def test_in_place_edit_of_equal_size_is_noticed(json: Path) -> None:
    """A change that keeps the size, within the same tick, is not taken for the old contents."""
    document = Document(json)
    for number in range(2, 10):
        with json.open("r+") as file:
            file.write(f'{{"n": {number}')

        assert number == document.read()["n"]


def test_old_signature_spares_reading() -> None:
    """A file whose times are old enough is not read again; a young one is (FAT: 2 seconds)."""
    clock = ManualClock()
    disk = MemoryVFS(clock=clock)
    disk.core.fine_stamps = False
    disk.write_tree({"/a.json": b'{"n": 1}'})
    document = Document("/a.json", vfs=disk, clock=clock)
    clock.advance(3)
    first = document._committer.load()
    assert first is document._committer.load()
    document.update(lambda state: state.update(n=2))

    young = document._committer.load()
    assert young.content is not document._committer.load().content
    clock.advance(3)
    document._committer.load()
    assert document._committer.load() is document._committer.load()


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """A folder or a FIFO is refused and does not hang."""
    path = tmp_path / "state.json"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    document = Document(path, default={})

    for call in (document.read, lambda: document.update(lambda s: s.update(n=1))):
        with pytest.raises(PromiseUnavailable):
            call()


def test_too_large_a_file_is_not_read(json: Path) -> None:
    """A file beyond `max_size_bytes` is DecodeError, whatever it holds."""
    os.truncate(json, 1 << 40)

    with pytest.raises(DecodeError, match="larger than"):
        Document(json, default={}).read()


def test_quarantine_moves_damage_away(json: Path) -> None:
    """`quarantine` moves contents that do not decode, and only those, to a free name."""
    document = Document(json, default={})
    assert document.quarantine() is None
    for number in (1, 2):
        json.write_text("{broken")

        assert json.with_name(f"state.json.corrupt-{number}") == document.quarantine()
        assert not json.exists()

    assert {} == document.read()
    assert document.quarantine() is None
    assert ["state.json.corrupt-1", "state.json.corrupt-2"] == others(json)


def test_mode_is_kept_and_new_mode_is_exact(json: Path) -> None:
    """A changed file keeps its mode; a new one has the mode that was asked for."""
    json.chmod(0o640)
    Document(json).update(lambda state: state.update(n=2))
    new = json.with_name("new.json")
    Document(new, default={}, permissions=0o600).update(lambda state: state.update(n=2))

    assert [0o640, 0o600] == [path.stat().st_mode & 0o7777 for path in (json, new)]


FRACTION = 1_700_000_000_123_456_789


@pytest.mark.parametrize("how", ["in place", "renamed over", "by holdfast"])
def test_trusted_signature_notices_a_change_of_equal_size(tmp_path: Path, how: str) -> None:
    """I1: size and even the time of writing may be the same; the change is noticed."""
    path = tmp_path / "a.json"
    path.write_text('{"n": 1}')
    os.utime(path, ns=(FRACTION, FRACTION))
    document = Document(path, clock=ManualClock(start_ns=time.time_ns() + 10**12))
    before = document._committer.load()
    assert before is document._committer.load()
    if how == "in place":
        path.write_text('{"n": 2}')
    elif how == "renamed over":
        (tmp_path / "b.json").write_text('{"n": 2}')
        (tmp_path / "b.json").replace(path)
    else:
        Document(path).write({"n": 2})
    os.utime(path, ns=(FRACTION, FRACTION))

    assert {"n": 2} == document.read()


@pytest.mark.parametrize("effect", ["ESTALE", "EIO", "EACCES", "ENOMEM"])
@pytest.mark.parametrize("operation", ["open", "read", "stat_file", "folder"])
def test_unreadable_is_not_missing(operation: str, effect: str) -> None:
    """I5: what cannot be read raises the system's own error; no default, no change, no leak."""
    for call in (
        Document.read,
        Document.checkout,
        lambda document: document.update(lambda state: state.update(n=3)),
        lambda document: document.write({"n": 3}),
    ):
        disk = MemoryVFS()
        disk.write_tree({"/a.json": b'{"n": 1}'})
        fault = Fault(operation, 1, effect=effect, repeat=True)
        document = Document("/a.json", default={"n": 0}, vfs=Faulty(disk, fault))
        with document, pytest.raises(OSError) as caught:
            call(document)

        assert getattr(errno, effect) == caught.value.errno
        assert b'{"n": 1}' == disk.tree()["a.json"]
        assert [] == disk.leftovers()


def test_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """I2: what is larger than allowed by the end of the reading is refused as well."""
    path = tmp_path / "a.json"
    path.write_text("1")

    def read(self, size, *, offset=None):
        with path.open("a") as file:
            file.write(" " * 10)
        return LinuxFile.read(self, size, offset=offset)

    with pytest.raises(DecodeError, match="larger than 8 bytes"):
        Document(path, object, max_size_bytes=8, vfs=standing_in({"read": read})).read()


def test_largest_allowed_size_is_read(tmp_path: Path) -> None:
    """I2: exactly `max_size_bytes` are read, in pieces where they are many."""
    path = tmp_path / "a.json"
    text = '"' + "x" * (3 << 20) + '"'
    path.write_text(text)

    assert text[1:-1] == Document(path, object, max_size_bytes=len(text)).read()
    with pytest.raises(DecodeError):
        Document(path, object, max_size_bytes=len(text) - 1).read()
