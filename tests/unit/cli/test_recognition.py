"""What a path holds, found by looking; the verbs that use it are tested with it."""

from __future__ import annotations

import os

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.recognition import (
    KINDS,
    is_line_log,
    is_log,
    is_record_file,
    kind_of,
    look_at,
)
from holdfast.primitives.log import Log
from holdfast.primitives.record_file import RecordFile
from holdfast.state.store import Store
from holdfast.vfs import SYSTEM
from tests.support.journal_files import commit, opened


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], False),
        (["lock"], True),
        (["lock", "00000000000000000001.segment"], True),
        (["00000000000000000001.segment", "anything"], True),
        (["lock", "other"], False),
        (["lock", ".0.segment.0123456789abcdef.holdfast-tmp"], True),
        (["1.segment"], False),
    ],
)
def test_log_is_told_by_its_names(names, expected) -> None:
    """Segments make a folder a log, and so does the lock that is made first."""
    assert expected is is_log(names)


def test_look_takes_the_names_or_the_beginning(tmp_path) -> None:
    """Of a large file no more than is needed."""
    (tmp_path / "a").write_bytes(b"x" * 100_000)

    assert (("a",), None) == look_at(str(tmp_path))[1:]
    assert (None, b"x" * 4096) == look_at(str(tmp_path / "a"))[1:]


def test_store_and_journal_are_kinds(tmp_path) -> None:
    """By their identity, before the log in them is looked at; an empty folder is a log."""
    with Store(tmp_path / "store") as store:
        store["a"] = 1
    with opened(SYSTEM, str(tmp_path / "journal")) as journal:
        commit(journal, 1)
    (tmp_path / "empty").mkdir()
    kinds = {name: kind_of(str(tmp_path / name)).name for name in ("store", "journal", "empty")}

    assert {"store": "store", "journal": "journal", "empty": "log"} == kinds
    assert "log" == kind_of(str(tmp_path / "store" / "log")).name


def test_device_is_of_no_kind() -> None:
    """It is not read: that might never end."""
    with pytest.raises(Failure, match="no kind"):
        kind_of("/dev/zero")


def test_each_kind_can_be_repaired_or_says_what_to_do_instead() -> None:
    """One or the other."""
    assert [] == [kind.name for kind in KINDS if (kind.repair is None) is not bool(kind.instead)]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.log", b"text\tand \x1b[0m colours\r\n", True),
        ("a.log", b"\0" * 9000, True),
        ("a.log", b"a line\n\0\0\0another\n", True),
        ("a.log.1", b"text\n", True),
        ("a.log", b"\x7fELF\x02\x01\0", False),
        ("a.txt", b"text\n", False),
        ("a.jsonl", b"\x02", True),
        ("a.jsonl.12", b"\x02", True),
    ],
)
def test_log_of_lines_is_told_by_its_name_and_text(name, data, expected, tmp_path) -> None:
    """Zeros, which a power cut leaves, are no reason to refuse it."""
    (tmp_path / name).write_bytes(data)

    assert expected is is_line_log(look_at(str(tmp_path / name)))


def test_fifo_is_of_no_kind(tmp_path) -> None:
    """Whatever its name is; it is not an empty log."""
    for name in ("a.jsonl", "a.log", "a.json"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(Failure, match="no kind"):
            kind_of(str(tmp_path / name))


def test_folder_with_a_log_and_no_identity_may_be_a_journal(tmp_path) -> None:
    """To repair it is one; to verify nobody can tell."""
    with Log(tmp_path / "app" / "log") as log:
        log.append(b"one")
    path = str(tmp_path / "app")
    assert "journal" == kind_of(path, to_repair=True).name
    with pytest.raises(Failure, match=r"no file `journal`.* `holdfast repair --kind`") as caught:
        kind_of(path)
    assert 66 == caught.value.exit_code


def test_what_cannot_be_repaired_is_told_so(tmp_path) -> None:
    """And what can be."""
    (tmp_path / "other").touch()
    with pytest.raises(Failure, match=r"repaired\. .* log, store or journal\.$"):
        kind_of(str(tmp_path), to_repair=True)


def test_file_of_records_is_told_by_its_beginning(tmp_path) -> None:
    """Whatever its name is, and if it is damaged."""
    for name in ("a.rec", "a.json", "a.log"):
        with RecordFile(tmp_path / name, {"id": "I"}) as records:
            records.append({"id": 1})
        assert is_record_file(look_at(str(tmp_path / name)))
        assert "record file" == kind_of(str(tmp_path / name)).name
    (tmp_path / "a.rec").write_bytes((tmp_path / "a.rec").read_bytes()[:8])
    assert "record file" == kind_of(str(tmp_path / "a.rec"), to_repair=True).name
    assert not is_record_file(look_at(str(tmp_path)))
