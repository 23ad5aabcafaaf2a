"""Old versions of a document: kept, listed, restored, removed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast import DecodeError, Document
from holdfast.state.kept import KeptVersion
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS


@dataclass
class Counter:
    """A type that wants a number."""

    n: int = 0


def test_old_versions_are_kept_and_restored(json: Path) -> None:
    """`keep=2` leaves the last two replaced versions, whole, and `restore` brings one back."""
    texts = [json.read_text()]
    document = Document(json, keep=2)
    for number in (2, 3, 4):
        document.update(lambda state, number=number: state.update(n=number))
        texts.append(json.read_text())

    assert [(2, texts[1]), (3, texts[2])] == [
        (v.number, v.path.read_text()) for v in document.versions()
    ]
    assert 2 == document.restore(2)["n"]
    assert texts[1] == json.read_text()
    assert [3, 4] == [version.number for version in document.versions()]
    assert texts[3] == document.versions()[-1].path.read_text()


def test_restore_of_what_is_not_kept_is_an_error(json: Path) -> None:
    """A number that is not kept is FileNotFoundError naming those that are; the file stays."""
    document = Document(json, keep=1)
    document.update(lambda state: state.update(n=2))

    with pytest.raises(FileNotFoundError) as caught:
        document.restore(7)

    assert "Versions kept: 1." in caught.value.__notes__[0]
    assert 2 == document.read()["n"]


def test_restore_of_damage_is_refused(json: Path) -> None:
    """An old version that does not decode is not restored."""
    document = Document(json, keep=1)
    document.update(lambda state: state.update(n=2))
    document.versions()[0].path.write_text("{")

    with pytest.raises(DecodeError):
        document.restore(1)

    assert 2 == document.read()["n"]


def test_names_like_old_versions_are_left_alone(json: Path) -> None:
    """Files that only look similar are neither listed nor removed."""
    strangers = [
        "state.json.~~",
        "state.json.~x~",
        "state.json.~01~",
        "other.json.~1~",
        "state.json.~1~.bak",
    ]
    for name in strangers:
        json.with_name(name).write_text("mine")
    document = Document(json, keep=1)
    for number in range(3):
        document.update(lambda state, number=number: state.update(n=number + 2))

    assert [3] == [version.number for version in document.versions()]
    assert all("mine" == json.with_name(name).read_text() for name in strangers)


def test_numbers_are_counted_and_not_spelled(json: Path) -> None:
    """The tenth version is younger than the ninth."""
    document = Document(json, keep=2)
    for number in range(2, 13):
        document.update(lambda state, number=number: state.update(n=number))

    assert [10, 11] == [version.number for version in document.versions()]


def test_description_of_a_version_is_that_of_the_replaced_file(json: Path) -> None:
    """A version is the replaced file itself: its size and the time when it was written."""
    before = json.stat()
    document = Document(json, keep=1)
    document.update(lambda state: state.update(n=2))

    expected = KeptVersion(1, json.with_name("state.json.~1~"), before.st_size, before.st_mtime_ns)
    assert [expected] == document.versions()
    assert before.st_ino == expected.path.stat().st_ino


def test_nothing_is_kept_of_what_was_not_there(tmp_path: Path) -> None:
    """The first write of a file replaces nothing, and keeps nothing."""
    document = Document(tmp_path / "deep" / "new.json", default={}, keep=3)
    assert [] == document.versions()
    document.update(lambda state: state.update(n=1))

    assert [] == document.versions()


def test_restore_keeps_what_it_replaces(json: Path) -> None:
    """What `restore` replaces is a version then, without `keep` and even if it is damaged."""
    Document(json, keep=1).update(lambda state: state.update(n=2))
    json.write_text("{damage")
    document = Document(json)

    assert 1 == document.restore(1)["n"]
    assert ["{damage"] == [v.path.read_text() for v in document.versions() if v.number == 2]


def test_restore_of_another_type_is_refused(json: Path) -> None:
    """An old version that does not fit the type is DecodeError, and the file is untouched."""
    Document(json, keep=1).write({"n": 2})
    json.with_name("state.json.~1~").write_text('{"n": "one"}')

    with pytest.raises(DecodeError):
        Document(json, Counter, keep=1).restore(1)

    assert Counter(2) == Document(json, Counter).read()


def test_version_that_cannot_be_removed_stays() -> None:
    """An old version that cannot be removed is no reason to fail: it stays."""
    disk = MemoryVFS()
    disk.write_tree({"/a.json": b'{"n": 0}'})
    fault = Fault("unlink", 1, on="a.json.~1~", effect="EPERM")
    with Document("/a.json", keep=1, vfs=Faulty(disk, fault)) as document:
        for number in (1, 2):
            document.update(lambda state, number=number: state.update(n=number))

        assert fault.fired
        assert [1, 2] == [version.number for version in document.versions()]
        assert 2 == document.read()["n"]
