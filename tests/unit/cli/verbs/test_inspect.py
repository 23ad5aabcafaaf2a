"""`holdfast inspect`."""

from __future__ import annotations

import json
import os

from holdfast import Document, FileLock
from holdfast.primitives.log import Log
from holdfast.state.store import Store
from tests.support.record_bytes import RecordBytes


def facts(cli, path, code=0):
    result = cli("inspect", "--json", path)
    assert (code, "") == (result.code, result.err)
    return json.loads(result.out)


def test_file_is_described(cli, state) -> None:
    """Kind, size, mode, time, keys, lock and filesystem of a document are told."""
    state.chmod(0o640)
    os.utime(state, (1_700_000_000, 1_700_000_000))

    seen = facts(cli, state)

    assert (str(state), str(state.resolve())) == (seen["path"], seen["target"])
    assert ("file", state.stat().st_size, "-rw-r-----", 1) == tuple(
        seen[name] for name in ("kind", "size_bytes", "mode", "links")
    )
    assert ("2023-11-14T22:13:20Z", 1_700_000_000 * 10**9) == (
        seen["modified"],
        seen["modified_ns"],
    )
    assert {
        "format": "json",
        "type": "table",
        "keys": ["n", "name", "list", "deep"],
    } == seen["document"]
    assert {"path": f"{state.resolve()}.lock", "holder": None} == seen["lock"]
    assert ([], []) == (seen["leftovers"], seen["versions"])
    assert seen["filesystem"]


def test_facts_are_tab_separated_in_a_pipe(cli, state) -> None:
    """In a pipe each fact is a line: name, tab, value."""
    lines = dict(line.split("\t") for line in cli("inspect", state).out.splitlines())

    assert "file" == lines["kind"]
    assert "n, name, list, deep" == lines["document.keys"]


def test_broken_document_is_no(cli, state) -> None:
    """A document that does not parse is exit code 1, with the place of the error."""
    state.write_text('{"a":\n}')

    seen = facts(cli, state, 1)["document"]

    assert ("json", 2) == (seen["format"], seen["line"])
    assert "not readable" in seen["error"]
    assert 1 == cli("inspect", state).code


def test_other_shapes_are_told(cli, tmp_path) -> None:
    """Lists, single values and files of no known format are told apart."""
    for name, text in (("l.json", "[1, 2]"), ("v.json", "7"), ("x.bin", "\0")):
        (tmp_path / name).write_text(text)

    assert {"format": "json", "type": "list", "length": 2} == facts(cli, tmp_path / "l.json")[
        "document"
    ]
    assert {"format": "json", "type": "value"} == facts(cli, tmp_path / "v.json")["document"]
    assert "document" not in facts(cli, tmp_path / "x.bin")


def test_holder_is_named(cli, state) -> None:
    """Who holds the lock beside the file is told."""
    with FileLock(f"{state}.lock") as lock:
        seen = facts(cli, state)["lock"]
    lock.close()

    assert os.getpid() == seen["holder"]["pid"]


def test_leftovers_and_versions_are_listed(cli, state) -> None:
    """Temporary files of writers, and the old versions that were kept, are listed."""
    left = f".state.json.{'0' * 16}.holdfast-tmp"
    state.with_name(left).touch()
    state.with_name(f".other.{'0' * 16}.holdfast-tmp").touch()
    with Document(state, keep=2) as document:
        document.update(lambda value: value.update(n=5))

    seen = facts(cli, state)

    assert [left] == seen["leftovers"]
    assert [1] == seen["versions"]


def test_folder_is_described(cli, tmp_path) -> None:
    """Of a folder all leftovers in it are listed."""
    left = f".any.{'0' * 16}.holdfast-tmp"
    (tmp_path / left).touch()

    seen = facts(cli, tmp_path)

    assert ("folder", [left]) == (seen["kind"], seen["leftovers"])


def test_symlink_is_followed(cli, state) -> None:
    """A symlink is described as what it leads to."""
    link = state.with_name("link.json")
    link.symlink_to(state)

    seen = facts(cli, link)

    assert (str(link), str(state.resolve())) == (seen["path"], seen["target"])
    assert f"{state.resolve()}.lock" == seen["lock"]["path"]


def test_special_files_are_not_opened(cli, tmp_path) -> None:
    """A FIFO is told from a file, and not waited for; devices and the root are fine too."""
    os.mkfifo(tmp_path / "f.json")

    assert "FIFO" == facts(cli, tmp_path / "f.json")["kind"]
    assert "device" == facts(cli, "/dev/null")["kind"]
    assert "folder" == facts(cli, "/")["kind"]


def test_missing_path_is_66(cli, tmp_path) -> None:
    """A path that is not there is exit code 66."""
    code, _, err = cli("inspect", tmp_path / "no")

    assert (66, f"holdfast inspect: {tmp_path}/no: No such file or directory\n") == (
        code,
        err,
    )


def test_nothing_is_made(cli, state) -> None:
    """Looking leaves no lock file behind."""
    cli("inspect", state)

    assert ["state.json"] == os.listdir(state.parent)


def test_name_cannot_break_the_lines(cli, tmp_path) -> None:
    """A newline in a name is shown as an escape."""
    path = tmp_path / "a\nb"
    path.touch()

    assert f"path\t{tmp_path}/a\\nb\n" in cli("inspect", path).out


def test_log_is_described(cli, tmp_path) -> None:
    """Its sequences and segments; a damaged header is exit code 1."""
    with Log(tmp_path / "log") as log:
        log.append_many([b"one", b"two"])
    seen = facts(cli, tmp_path / "log")["log"]

    assert (1, 2, 2, 2, 1) == (
        *(seen[name] for name in ("first", "last", "durable", "records")),
        len(seen["segments"]),
    )
    assert "log.segments\t00000000000000000001.segment\n" in cli("inspect", tmp_path / "log").out
    (segment,) = (tmp_path / "log").glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[20] ^= 1
    segment.write_bytes(data)

    assert "error" in facts(cli, tmp_path / "log", 1)["log"]


def test_log_of_lines_is_described(cli, tmp_path) -> None:
    """Its files, oldest first, and whether its end is whole."""
    (tmp_path / "a.log").write_bytes(b"one\nhalf")
    (tmp_path / "a.log.1").write_bytes(b"old\n")
    (tmp_path / "a.log.torn").write_bytes(b"torn")

    assert {
        "files": ["a.log.1", "a.log"],
        "size_bytes": 12,
        "ends_with_newline": False,
        "torn": "a.log.torn",
    } == facts(cli, tmp_path / "a.log")["line_log"]


def test_other_folders_and_files_are_no_logs(cli, tmp_path, state) -> None:
    """Nothing is said of records then."""
    assert not {"log", "line_log"} & {*facts(cli, tmp_path), *facts(cli, state)}


def test_log_says_what_is_durable(cli, tmp_path) -> None:
    """And how much of the rest a power cut may take."""
    with Log(tmp_path / "log", sync="never") as log:
        log.append(b"one")
        log.barrier()
        log.append_many([b"two", b"three"])
        seen = facts(cli, tmp_path / "log")["log"]

    assert (1, 3, 1, 2) == tuple(seen[n] for n in ("first", "last", "durable", "not_durable"))


def test_store_is_described(cli, tmp_path) -> None:
    """A row for each fact of it, the checkpoints by their names."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
        store.checkpoint()
        out = cli("inspect", tmp_path / "s").out

    rows = dict(line.split("\t") for line in out.splitlines())
    assert ("store", "json", "1", "1") == tuple(
        rows[f"store.{name}"] for name in ("kind", "codec", "sequence", "durable")
    )
    assert "1" == rows["store.checkpoints.checkpoint-a.generation"]
    (tmp_path / "s" / "journal").write_bytes(b"")
    assert "error" in facts(cli, tmp_path / "s", 1)["journal"]


def test_file_of_records_is_described(cli, tmp_path) -> None:
    """Its layout and count, whatever its name is; or why they cannot be told."""
    path = tmp_path / "a.json"
    path.write_bytes(RecordBytes(5, 6).put(1, 7, 9).whole)
    seen = facts(cli, path)
    assert (2, 7, None, f"{path}.lock") == (
        seen["records"]["records"],
        seen["records"]["newest_generation"],
        seen["records"]["sidecar"],
        seen["lock"]["path"],
    )
    assert {"id": "I", "value": "q", "name": "24s"} == seen["records"]["layout"]
    assert "document" not in seen
    assert "records.layout.value\tq\n" in cli("inspect", path).out
    path.write_bytes(RecordBytes(5, 6).put(0, 3, 5, durable=9).whole)
    assert "9 records were durable" in facts(cli, path, 1)["records"]["error"]
