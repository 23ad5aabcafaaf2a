"""The check of a line log: what is found, and what is no damage."""

from __future__ import annotations

from holdfast.primitives import line_log_check
from holdfast.primitives.line_log import LineLog
from holdfast.vfs.memory import MemoryVFS
from holdfast.vfs.trace import Trace


def findings(data: bytes, name: str = "app.jsonl") -> list[tuple[str, int | None]]:
    vfs = MemoryVFS()
    vfs.write_tree({name: data})
    report = LineLog(f"/{name}", vfs=vfs).check()
    assert report.ok is not any(found.kind == "damage" for found in report.findings)
    assert all(found.message.count(". ") >= 2 for found in report.findings), report
    return [(found.kind, found.offset) for found in report.findings]


def test_good_log_has_no_findings() -> None:
    """Text lines among JSON lines are none, nor any letters."""
    assert [] == findings('{"a":1}\ntext \x1b \u2028 é\n\n'.encode())


def test_what_cannot_be_a_line_is_found() -> None:
    """Each with its place: zeros, other bytes than UTF-8, half an object, an end."""
    data = b'ok\n\0\0{"a":1}\nnot \xff text\n{"half":\nok\n{"end'

    assert [("hole", 3), ("damage", 13), ("damage", 24), ("torn", 36)] == findings(data)
    assert [("hole", 3), ("damage", 13), ("torn", 36)] == findings(data, "app.log")


def test_number_of_findings_is_bounded(monkeypatch) -> None:
    """A hostile file does not fill the memory."""
    monkeypatch.setattr(line_log_check, "_FINDINGS_MAX", 5)

    assert 5 == len(findings(b"\0\n" * 1000 + b"end"))


def test_line_that_is_too_long_is_damage(monkeypatch) -> None:
    """It is not read into memory."""
    monkeypatch.setattr("holdfast.primitives.line_log_reading.LINE_MAX_BYTES", 1000)

    assert [("damage", 3)] == findings(b"ok\n" + b"x" * 100_000 + b"\nok\n")[:1]


def test_old_files_are_read_and_counted() -> None:
    """Records and bytes of all of them; what was torn is named."""
    vfs = MemoryVFS()
    vfs.write_tree({"a.2": b"1\n", "a.1": b"2\nend", "a": b"3\n", "a.torn": b"x\n"})
    trace = Trace(vfs)
    report = LineLog("/a", vfs=trace).check()

    assert ("line log", 4, 9, True) == (report.kind, report.records, report.size_bytes, report.ok)
    assert [("leftover", "/a.torn")] == [(found.kind, found.path) for found in report.findings]
    assert not {"write", "lock", "truncate", "sync_data"} & {c.operation for c in trace.calls}
    assert [] == vfs.leftovers()
