"""A recording as a file: what goes in comes out, and nothing else does."""

from __future__ import annotations

import json
from binascii import crc32

import pytest

from holdfast.crash.recording import Call, Recording, Site
from holdfast.crash.stored import MAGIC, load, save
from holdfast.errors import Corruption, UnknownFormat
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT, Node
from tests.support import recordings

EVERYTHING = Recording(
    before={
        ROOT: Node("folder", 0o755, entries=(("a", 2), ("l", 3), ("\udcff", 4))),
        2: Node("file", 0o600, 1, 2, b"\0\xff", (("user.x", b"y"),)),
        3: Node("symlink", 0o777, data=b"a"),
        4: Node("fifo"),
    },
    operations=(
        ops.MakeFolder(ROOT, "d", 9, Node("folder")),
        ops.Create(5, Node("file")),
        ops.Link(9, "new", 5),
        ops.Write(5, 0, b"\x80\n"),
        ops.Truncate(5, 1),
        ops.SetAttributes(5, 0o600, (1, 2), (("user.x", b"z"), ("user.y", None))),
        ops.SyncFile(5, data_only=True),
        ops.SyncFile(5),
        ops.SyncFailed(5),
        ops.SyncFolder(9),
        ops.SyncAll(),
        ops.Rename(9, "new", ROOT, "newer"),
        ops.Exchange(ROOT, "newer", ROOT, "a"),
        ops.Unlink(ROOT, "newer"),
        ops.RemoveFolder(ROOT, "d"),
        ops.Mark('line\n"quoted" \udc80'),
    ),
    origins=(0,) * 16,
    calls=(Call(1, "all at once", 10, 11, (Site("/a b.py", 3, "f"),), "EIO"),),
    after={ROOT: Node("folder", entries=(("a", 5),)), 5: Node("file")},
    status=-9,
    recorder="by hand",
    notes=("one", "two"),
)


def line(*fields: object, check: int) -> tuple[bytes, int]:
    text = json.dumps(list(fields)).encode()
    check = crc32(text, check)
    return b"%08x %s\n" % (check, text), check


def made_up(*lines: list[object]) -> bytes:
    """A file with checksums that fit, whatever it says."""
    data, check = MAGIC, crc32(MAGIC)
    for fields in lines:
        more, check = line(*fields, check=check)
        data += more
    return data


HEAD = ["head", "x", 0, []]
FILE = ["file", 420, 0, 0, {"b": ""}, [], []]
TOP = ["before", 1, "folder", 493, 0, 0, {"b": ""}, [], [["a", 2]]]
A = ["before", 2, *FILE]
CALL = ["call", 1, "x", 1, 1, None, []]
AFTER = [["after", 1], ["after", 2]]
WRITE = ["operation", 0, "Write", 2, 0, {"b": "aGk="}]


def test_every_operation_and_kind_comes_back(tmp_path) -> None:
    """Also bytes that are no text, and text that is no UTF-8."""
    save(EVERYTHING, tmp_path / "x.crash")

    assert load(tmp_path / "x.crash") == EVERYTHING


@pytest.mark.parametrize(
    "recording",
    [recordings.replace(), recordings.in_place(), recordings.across_folders()],
    ids=["replace", "in place", "across"],
)
def test_recordings_come_back(tmp_path, recording) -> None:
    """Those of the other tests."""
    save(recording, tmp_path / "x.crash")

    assert load(tmp_path / "x.crash") == recording


def test_file_is_ascii_lines(tmp_path) -> None:
    """Safe to mail and to look at."""
    save(EVERYTHING, tmp_path / "x.crash")
    data = (tmp_path / "x.crash").read_bytes()

    assert data.startswith(MAGIC)
    assert data.endswith(b"\n")
    assert all(byte == 10 or 32 <= byte < 127 for byte in data)


def test_smallest_valid_file_is_read(tmp_path) -> None:
    """What the hostile ones below are variations of."""
    path = tmp_path / "x.crash"
    path.write_bytes(made_up(HEAD, TOP, A, CALL, WRITE, *AFTER, ["end", 7]))

    assert (ops.Write(2, 0, b"hi"),) == load(path).operations


HOSTILE = {
    "empty name": (HEAD, [*TOP[:-1], [["", 2]]], A),
    "parent as a name": (HEAD, [*TOP[:-1], [["..", 2]]], A),
    "slash in a name": (HEAD, [*TOP[:-1], [["a/b", 2]]], A),
    "name of nothing": (HEAD, [*TOP[:-1], [["a", 3]]], A),
    "name twice": (HEAD, [*TOP[:-1], [["a", 2], ["a", 2]]], A),
    "folder in itself": (HEAD, [*TOP[:-1], [["a", 1]]]),
    "inode twice": (HEAD, TOP, A, A),
    "no head": (TOP, A, CALL),
    "two heads": (HEAD, HEAD),
    "wrong order": (HEAD, TOP, A, CALL, A),
    "unknown line": (HEAD, ["noise"]),
    "no list": (HEAD, TOP, A, ["call", 1, "x", 1, 1, None, 5]),
    "text for a number": (HEAD, TOP, A, ["call", "1", "x", 1, 1, None, []]),
    "true for a number": (HEAD, TOP, A, ["call", True, "x", 1, 1, None, []]),
    "fraction": (HEAD, TOP, A, ["call", 1.0, "x", 1, 1, None, []]),
    "huge number": (HEAD, TOP, A, ["call", 10**30, "x", 1, 1, None, []]),
    "unknown kind": (HEAD, [*TOP[:2], "socket", *TOP[3:]]),
    "no base64": (HEAD, TOP, [*A[:6], {"b": "%"}, [], []]),
    "unknown operation": (HEAD, TOP, A, CALL, ["operation", 0, "Burn", 2]),
    "too few fields": (HEAD, TOP, A, CALL, ["operation", 0, "Write", 2]),
    "no such call": (HEAD, TOP, A, CALL, ["operation", 1, *WRITE[2:]]),
    "no such inode": (HEAD, TOP, A, CALL, ["operation", 0, "SyncFile", 7, False]),
    "write to a folder": (HEAD, TOP, A, CALL, ["operation", 0, "Write", 1, 0, {"b": ""}]),
    "huge file": (HEAD, TOP, A, CALL, ["operation", 0, "Truncate", 2, 1 << 50]),
    "huge sparse file": (HEAD, TOP, A, CALL, ["operation", 0, "Truncate", 2, 1 << 30]),
    "growth without end": (
        HEAD, TOP, A, CALL,
        *[["operation", 0, "Truncate", 2, size] for size in (1 << 29, 0) * 9],
    ),
    "rename of nothing": (HEAD, TOP, A, CALL, ["operation", 0, "Rename", 1, "z", 1, "a"]),
    "rename to a parent": (HEAD, TOP, A, CALL, ["operation", 0, "Rename", 1, "a", 1, ".."]),
    "wrong count": (HEAD, TOP, A, CALL, WRITE, *AFTER, ["end", 8]),
    "more behind the end": (HEAD, TOP, A, CALL, *AFTER, ["end", 6], ["end", 7]),
    "no end": (HEAD, TOP, A, CALL, WRITE, *AFTER),
    "no tree at the end": (HEAD, TOP, A, CALL, WRITE, ["end", 5]),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_cannot_be_is_refused_with_its_place(tmp_path, what) -> None:
    """The checksums fit, and yet nothing is made of it."""
    path = tmp_path / "x.crash"
    path.write_bytes(data := made_up(*HOSTILE[what]))

    with pytest.raises(Corruption, match=f"{path}: damaged at byte") as it:
        load(path)
    assert len(MAGIC) <= (it.value.offset or 0) <= len(data)
    assert path.read_bytes() == data


def test_deep_nesting_is_refused(tmp_path) -> None:
    """It ends in an error, not in a crash of the interpreter."""
    text = b"[" * 200_000
    path = tmp_path / "x.crash"
    path.write_bytes(MAGIC + b"%08x %s\n" % (crc32(text, crc32(MAGIC)), text))

    with pytest.raises(Corruption):
        load(path)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not a recording"),
        (b"holdfast-recording 2\n", "another version"),
        (b"PK\x03\x04", "not a recording"),
    ],
)
def test_other_formats_are_told_apart(tmp_path, data, what) -> None:
    """Another version is worth a word of its own."""
    path = tmp_path / "x.crash"
    path.write_bytes(data)

    with pytest.raises(UnknownFormat, match=what):
        load(path)


def test_missing_file_is_an_error_of_the_system(tmp_path) -> None:
    """With its own errno and name."""
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
