"""`holdfast repair`."""

from __future__ import annotations

import json

import pytest

from holdfast.primitives.log import Log
from holdfast.state.store import Store
from tests.support.record_bytes import RecordBytes
from tests.unit.cli.verbs.test_verify import damaged_log


def test_whole_log_is_copied(cli, tmp_path) -> None:
    """Nothing is lost: exit code 0."""
    with Log(tmp_path / "log") as log:
        log.append_many([b"one", b"two"])
    code, out, err = cli("repair", tmp_path / "log", "--to", tmp_path / "new")

    assert (0, "") == (code, err)
    assert "records\t2\n" in out
    assert "one\ntwo\n" == cli("log", "cat", tmp_path / "new").out


def test_what_is_whole_is_saved_and_the_rest_is_told(cli, tmp_path) -> None:
    """Exit code 1; the damaged log is as it was."""
    folder = damaged_log(tmp_path / "log")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = cli("repair", "--json", "--to", tmp_path / "new", folder)
    seen = json.loads(result.out)

    assert (1, "", 2) == (result.code, result.err, seen["records"])
    assert [1] == [loss["after_sequence"] for loss in seen["lost"]]
    assert "1\tfirst\n3\tthird\n" == cli("log", "cat", "--sequence", tmp_path / "new").out
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_folder_that_holds_something_is_refused(cli, tmp_path) -> None:
    """73, and nothing is written."""
    folder = damaged_log(tmp_path / "log")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").touch()

    assert 73 == cli("repair", folder, "--to", tmp_path / "new").code
    assert ["mine"] == [path.name for path in (tmp_path / "new").iterdir()]


def test_what_is_not_repaired_by_copying_is_refused(cli, state, tmp_path) -> None:
    """69, with what to do instead."""
    (tmp_path / "a.jsonl").write_text("{}\n")

    for path in (state, tmp_path / "a.jsonl"):
        code, out, err = cli("repair", path, "--to", tmp_path / "new")
        assert (69, "") == (code, out)
        assert "untouched" in err
    assert 2 == cli("repair", state).code


@pytest.mark.parametrize(
    ("to", "code", "said"),
    [
        ("log/inside", 73, "log/inside: is inside log. Nothing was made."),
        ("file", 73, "file: is no folder. Nothing was made."),
        ("", 2, "the name of the file is empty"),
        ("/proc/new", 66, "/proc/new: No such file"),
    ],
)
def test_target_that_cannot_be_filled_is_refused(cli, tmp_path, monkeypatch, to, code, said):
    """Before anything is made, by the name that was given."""
    monkeypatch.chdir(tmp_path)
    with Log("log") as log:
        log.append(b"one")
    (tmp_path / "file").touch()
    before = sorted(path.name for path in tmp_path.rglob("*"))
    result = cli("repair", "log", "--to", to)

    assert code == result.code
    assert said in result.err
    assert before == sorted(path.name for path in tmp_path.rglob("*"))


def test_store_is_repaired(cli, tmp_path) -> None:
    """What follows a loss is beside it; the exit code says so."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
        store.checkpoint()
        for value in ("second", "third"):
            store["a"] = value
    (segment,) = (tmp_path / "s" / "log").glob("*.segment")
    segment.write_bytes(segment.read_bytes().replace(b"second", b"sEcond"))
    code, out, err = cli("repair", tmp_path / "s", "--to", tmp_path / "new")

    assert (1, "") == (code, err)
    assert f"note\t1 entries behind a loss are in {tmp_path}/new/rest" in out
    assert "lost\tafter record 1: 1 record lost: " in out
    assert "1\n" == cli("store", "get", tmp_path / "new", "a").out
    assert 0 == cli("verify", tmp_path / "new").code
    assert "third" in cli("log", "cat", tmp_path / "new" / "rest").out


def test_kind_is_named_where_nothing_tells_it(cli, tmp_path) -> None:
    """65 without it; with it, it is repaired."""
    with Store(tmp_path / "s", codec="text") as store:
        store["a"] = "no: json"
        store.checkpoint()
    (tmp_path / "s" / "journal").unlink()
    words = ("repair", tmp_path / "s", "--to", tmp_path / "new")
    code, out, err = cli(*words)

    assert (65, "") == (code, out)
    assert "Say its kind and its codec" in err
    assert 0 == cli(*words, "--kind", "store", "--codec", "text").code
    assert "no: json\n" == cli("store", "get", tmp_path / "new", "a").out
    with Log(tmp_path / "log") as log:
        log.append(b"one")
    assert 2 == cli("repair", tmp_path / "log", "--to", tmp_path / "x", "--kind", "store").code


def test_store_that_has_lost_its_identity_is_named(cli, tmp_path) -> None:
    """Before its first checkpoint the log alone is there; values of JSON tell by themselves."""
    with Store(tmp_path / "json") as store:
        store["a"] = "1"
    with Store(tmp_path / "bytes", codec="bytes") as store_of_bytes:
        store_of_bytes["a"] = b"\xff"
    for codec in ("json", "bytes"):
        (tmp_path / codec / "journal").unlink()
    assert 0 == cli("repair", tmp_path / "json", "--to", tmp_path / "new").code
    assert 65 == cli("repair", tmp_path / "bytes", "--to", tmp_path / "b").code
    told = ("--kind", "store", "--codec", "bytes")
    assert 0 == cli("repair", tmp_path / "bytes", "--to", tmp_path / "b", *told).code

    with Store(tmp_path / "new") as store, Store(tmp_path / "b", codec="bytes") as other:
        assert ("1", b"\xff") == (store["a"], other["a"])


def test_target_that_is_not_empty_is_73(cli, tmp_path) -> None:
    """It is told what to give."""
    with Log(tmp_path / "log") as log:
        log.append(b"one")
    code, out, err = cli("repair", tmp_path / "log", "--to", tmp_path)
    assert (73, "") == (code, out)
    assert "is not empty. Nothing was made. Give a folder that is missing or empty." in err


def test_file_of_records_is_copied(cli, tmp_path) -> None:
    """A record that is lost has zeros; it is told, and the exit code says so."""
    path, new = tmp_path / "a.rec", tmp_path / "new.rec"
    path.write_bytes(RecordBytes(5, 6, 7, 8).over(1, 0, b"x").whole)
    assert (0, "") == cli("repair", path, "--to", new)[::2]
    assert 0 == cli("verify", "-q", new).code
    data = RecordBytes(5, 6, 7, 8).over(1, 0, b"x").over(1, 1, b"x").whole
    path.write_bytes(data)
    code, out, err = cli("repair", path, "--to", tmp_path / "other.rec")

    assert (1, "", data) == (code, err, path.read_bytes())
    assert "records\t3\n" in out
    assert "both copies of record 1 are damaged; it has zeros in all fields" in out
    found = cli("records", "ls", tmp_path / "other.rec").out.splitlines()
    assert [5, 0, 7, 8] == [json.loads(line)["value"] for line in found]


def test_file_is_copied_to_where_nothing_is(cli, tmp_path) -> None:
    """Not over another file, nor to a folder; without a head it is not copied at all."""
    path = tmp_path / "a.rec"
    path.write_bytes(RecordBytes(5).whole)
    (tmp_path / "there").touch()
    for to in (tmp_path, tmp_path / "there", path):
        code, out, err = cli("repair", path, "--to", to)
        assert (73, "") == (code, out)
        assert f"{to}: is there. Nothing was made. Give the name of a new file." in err
    path.write_bytes(RecordBytes(5).whole[:4000])
    code, out, err = cli("repair", path, "--to", tmp_path / "new")
    assert (65, "") == (code, out)
    assert "Take the file from a backup." in err
    assert not (tmp_path / "new").exists()
