"""`holdfast verify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.primitives.log import Log
from holdfast.state.store import Store
from tests.support.record_bytes import RecordBytes


def damaged_log(folder: Path) -> Path:
    """A log of three records, the second of which has changed."""
    with Log(folder) as log:
        for record in (b"first", b"second", b"third"):
            log.append(record)
    (segment,) = folder.glob("*.segment")
    segment.write_bytes(segment.read_bytes().replace(b"second", b"sEcond"))
    return folder


def facts(cli, path: Path, code: int = 0):
    result = cli("verify", "--json", path)
    assert (code, "") == (result.code, result.err)
    return json.loads(result.out)


def test_whole_log_is_ok(cli, tmp_path) -> None:
    """How many records, in how many bytes; nothing is found."""
    with Log(tmp_path / "log") as log:
        log.append_many([b"one", b"two"])
    seen = facts(cli, tmp_path / "log")

    assert ("log", 2, True, []) == (seen["kind"], seen["records"], seen["ok"], seen["findings"])
    rows = dict(line.split("\t") for line in cli("verify", tmp_path / "log").out.splitlines())
    assert ("2", "ok") == (rows["records"], rows["verdict"])


def test_damaged_log_is_65(cli, tmp_path) -> None:
    """What is damaged is said; -q says it by the exit code alone."""
    folder = damaged_log(tmp_path / "log")
    seen = facts(cli, folder, 65)

    assert not seen["ok"]
    assert ["damage"] == [finding["kind"] for finding in seen["findings"]]
    assert "verdict\tdamaged\n" in cli("verify", folder).out
    assert (65, "", "") == cli("verify", "-q", folder)


@pytest.mark.parametrize(
    ("name", "data", "kind", "code"),
    [
        ("a.jsonl", b'{"n": 1}\n{"n": 2}\n', "line log", 0),
        ("a.jsonl", b'{"n": 1}\n{"n": \n', "line log", 65),
        ("a.jsonl", b"\0\0\0\0", "line log", 0),
        ("a.ndjson", b"", "line log", 0),
        ("a.log", b"text\n", "line log", 0),
        ("a.log.1", b"text\n", "line log", 0),
        ("a.json", b'{"n": 1}', "json document", 0),
        ("a.json", b'{"n": ', "json document", 65),
        ("a.toml", b"n = 1\n", "toml document", 0),
    ],
)
def test_kind_is_found_by_looking(cli, tmp_path, name, data, kind, code) -> None:
    """By the suffix and the contents."""
    (tmp_path / name).write_bytes(data)

    assert kind == facts(cli, tmp_path / name, code)["kind"]


def test_empty_folder_is_an_empty_log(cli, tmp_path) -> None:
    """That is how a log begins; what a killed writer left in it changes nothing."""
    (tmp_path / "log").mkdir()
    assert ("log", 0, True) == tuple(
        facts(cli, tmp_path / "log")[name] for name in ("kind", "records", "ok")
    )
    (tmp_path / "log" / f".x.{'0' * 16}.holdfast-tmp").touch()
    assert ["leftover"] == [f["kind"] for f in facts(cli, tmp_path / "log")["findings"]]


def test_slash_at_the_end_is_not_printed(cli, tmp_path, monkeypatch) -> None:
    """Completion puts it there; what is a file is no folder by it."""
    monkeypatch.chdir(tmp_path)
    damaged_log(tmp_path / "log")
    out = cli("verify", "log/").out

    assert "path\tlog\n" in out
    assert "damage\tlog/0000" in out
    (tmp_path / "a.json").write_text("{}")
    assert 66 == cli("verify", "a.json/").code


@pytest.mark.parametrize("name", ["a.log", "a.bin", "a.txt", "folder"])
def test_what_cannot_be_verified_is_refused(cli, tmp_path, name) -> None:
    """Clearly, with what could be."""
    if name == "folder":
        (tmp_path / name).mkdir()
        (tmp_path / name / "other").touch()
    else:
        (tmp_path / name).write_bytes(b"\0\1\2")
    code, out, err = cli("verify", tmp_path / name)

    assert (66, "") == (code, out)
    assert "no kind that can be verified" in err


def test_missing_path_is_told(cli, tmp_path) -> None:
    """66, as everywhere."""
    assert 66 == cli("verify", tmp_path / "no").code


def test_old_file_of_json_lines_is_checked_as_one(cli, tmp_path) -> None:
    """Half an object in it is damage; the path is as it was given."""
    (tmp_path / "a.jsonl.1").write_text('{"half":\n')
    result = facts(cli, tmp_path / "a.jsonl.1", 65)

    assert (str(tmp_path / "a.jsonl.1"), 1) == (result["path"], len(result["findings"]))


def test_store_is_verified(cli, tmp_path) -> None:
    """As what it is; damage of it is 65."""
    with Store(tmp_path / "s") as store:
        store["a"] = "value"
        store.checkpoint()
        store["b"] = "other"
    seen = facts(cli, tmp_path / "s")
    assert ("store", 2, True, []) == (seen["kind"], seen["records"], seen["ok"], seen["findings"])
    (segment,) = (tmp_path / "s" / "log").glob("*.segment")
    segment.write_bytes(segment.read_bytes().replace(b"other", b"oTher"))

    assert ["damage"] == [f["kind"] for f in facts(cli, tmp_path / "s", 65)["findings"]]


def test_file_of_records_is_verified(cli, tmp_path) -> None:
    """Damage of a copy, of a record and of the head is told; nothing is changed."""
    path = tmp_path / "a.rec"
    path.write_bytes(RecordBytes(5, 6, 7).whole)
    seen = facts(cli, path)
    assert ("record file", 3, True, []) == tuple(
        seen[name] for name in ("kind", "records", "ok", "findings")
    )
    for data, said in (
        (RecordBytes(5, 6, 7).over(1, 0, b"x").whole, "one copy of record 1 is damaged"),
        (RecordBytes(5, 6, 7, 8).over(1, 0, b"x").over(1, 1, b"x").whole, "copies of record 1"),
        (RecordBytes(5, 6).put(0, 3, 5, durable=9).whole, "9 records were durable"),
        (RecordBytes(5).whole[:4000], "of the 4096 bytes of its head"),
    ):
        path.write_bytes(data)
        found = facts(cli, path, 65)["findings"]
        assert said in " ".join(one["message"] for one in found)
        assert data == path.read_bytes()
