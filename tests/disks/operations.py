"""Every public operation of holdfast that writes, as a workload with promises for real disks.

Each does the same three times and acknowledges each time. `WORKLOADS` is what the command reads; an
operation that is added to the library gets a line there.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import holdfast
from holdfast.compat.atomicwrites import atomic_write
from holdfast.crash.disks.controls import contents
from holdfast.crash.disks.harness import Workload
from holdfast.errors import HandlePoisoned
from holdfast.primitives.durable_handler import DurableHandler
from holdfast.primitives.line_log import LineLog
from holdfast.primitives.log import Log
from holdfast.primitives.stream import Stream
from holdfast.vfs import SYSTEM
from tests.crash.places import Rebooted
from tests.disks import states

ROUNDS = 3
LAST = ROUNDS + 1
Step = Callable[[str, int], object]
Check = Callable[[str, Sequence[str]], object]


def text(version: int) -> str:
    return contents(version).decode()


def read(folder: str, name: str) -> bytes | None:
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def version_of(folder: str, name: str) -> int | None:
    """Which version a file holds whole; None if there is no such file."""
    data = read(folder, name)
    if data is None:
        return None
    found = [version for version in range(LAST + 1) if data == contents(version)]
    if not found:
        raise ValueError(f"torn: {name} has {len(data)} bytes, {data.count(0)} of them zeros")
    return found[0]


def nothing_left_over(folder: str) -> None:
    """What a killed writer left is found and removed."""
    holdfast.sweep(folder, recursive=True)
    left = [
        name
        for _, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if name.endswith(".holdfast-tmp")
    ]
    if left:
        raise ValueError(f"left over: {left}")


def still_writable(folder: str) -> None:
    """What survived is of use: the next write goes as any other."""
    holdfast.write_bytes(os.path.join(folder, "state"), contents(LAST))
    if version_of(folder, "state") != LAST:
        raise ValueError("the write after the crash was not done")


def state_is_whole(folder: str, acked: Sequence[str]) -> None:
    version = version_of(folder, "state")
    if version is None or version < len(acked):
        raise ValueError(f"lost: version {version} after {len(acked)} was acknowledged")


def check_state(folder: str, acked: Sequence[str]) -> None:
    state_is_whole(folder, acked)
    nothing_left_over(folder)
    still_writable(folder)


def prepare_state(folder: str) -> None:
    holdfast.write_bytes(os.path.join(folder, "state"), contents(0))


def workload(
    name: str,
    step: Step,
    *,
    check: Check = check_state,
    prepare: Callable[[str], object] = prepare_state,
) -> Workload:
    def run(folder: str, mark: Callable[[str], None]) -> None:
        for version in range(1, ROUNDS + 1):
            step(folder, version)
            mark(str(version))

    return Workload(name, prepare, run, check)


def write_bytes(folder: str, version: int) -> None:
    holdfast.write_bytes(os.path.join(folder, "state"), contents(version))


def write_text(folder: str, version: int) -> None:
    holdfast.write_text(os.path.join(folder, "state"), text(version), newline="\n")


def stream(folder: str, version: int) -> None:
    with holdfast.open(os.path.join(folder, "state"), "wb") as file:
        for start in range(0, len(contents(version)), 3000):
            file.write(contents(version)[start : start + 3000])
            file.flush()


def through_a_path(folder: str, version: int) -> None:
    with holdfast.replacing(os.path.join(folder, "state")) as path:
        path.write_bytes(contents(version))


def through_atomicwrites(folder: str, version: int) -> None:
    with atomic_write(os.path.join(folder, "state"), mode="wb", overwrite=True) as file:
        file.write(contents(version))


def under_a_lock(folder: str, version: int) -> None:
    with holdfast.FileLock(os.path.join(folder, "state.lock")) as lock:
        holdfast.write_bytes(os.path.join(folder, "state"), contents(version))
    lock.close()


def check_lock(folder: str, acked: Sequence[str]) -> None:
    """No crash leaves a lock held."""
    lock = holdfast.FileLock(os.path.join(folder, "state.lock"))
    lock.acquire(timeout_s=0)
    lock.release()
    lock.close()
    check_state(folder, acked)


def create(folder: str, version: int) -> None:
    with holdfast.open(os.path.join(folder, f"new-{version}"), "xb") as file:
        file.write(contents(version))


def check_created(folder: str, acked: Sequence[str], *, pattern: str) -> None:
    for version in range(1, ROUNDS + 1):
        found = version_of(folder, pattern.format(version))
        if found is None and version <= len(acked):
            raise ValueError(f"lost: {pattern.format(version)} was acknowledged")
        if found not in {None, version}:
            raise ValueError(f"{pattern.format(version)} holds version {found}")
    check_state(folder, ())


def in_new_folders(folder: str, version: int) -> None:
    holdfast.write_bytes(os.path.join(folder, f"x{version}/y/state"), contents(version))


def many(folder: str, version: int) -> None:
    names = ("state", "other", f"new-{version}")
    holdfast.write_many({os.path.join(folder, name): contents(version) for name in names})


def check_many(folder: str, acked: Sequence[str]) -> None:
    other = version_of(folder, "other")
    if (other or 0) < len(acked):
        raise ValueError(f"lost: other holds version {other} after {len(acked)}")
    state_is_whole(folder, acked)
    check_created(folder, acked, pattern="new-{}")


def with_backup(folder: str, version: int) -> None:
    holdfast.write_bytes(os.path.join(folder, "state"), contents(version), backup="state.old")


def check_backup(folder: str, acked: Sequence[str]) -> None:
    """What was replaced last is never nowhere."""
    state_is_whole(folder, acked)
    version, backup = version_of(folder, "state"), version_of(folder, "state.old")
    if version and (backup is None or backup < version - 1):
        raise ValueError(f"lost: version {version} replaced, and the backup is {backup}")
    check_state(folder, acked)


def document_of(folder: str, *, keep: int = 0) -> holdfast.Document[dict[str, object]]:
    return holdfast.Document(os.path.join(folder, "state.json"), keep=keep)


def prepare_document(folder: str) -> None:
    holdfast.write_text(os.path.join(folder, "state.json"), json.dumps(value_of(0)))


def value_of(version: int) -> dict[str, object]:
    return {"version": version, "text": text(version)}


def update(folder: str, version: int, *, keep: int = 0) -> None:
    with document_of(folder, keep=keep) as document:
        document.update(lambda value: value.update(value_of(version)))


def edit(folder: str, version: int) -> None:
    with holdfast.edit(os.path.join(folder, "state.json")) as value:
        value.update(value_of(version))


def write_document(folder: str, version: int) -> None:
    with document_of(folder) as document:
        document.write(value_of(version))


def commit_draft(folder: str, version: int) -> None:
    with document_of(folder) as document:
        draft = document.checkout()
        draft.value.update(value_of(version))
        draft.commit()


def check_value(value: object, *, at_least: int) -> int:
    found = [v for v in range(LAST + 1) if value == value_of(v)]
    if not found:
        raise ValueError("torn: the document is none of its versions")
    if found[0] < at_least:
        raise ValueError(f"lost: version {found[0]} after {at_least} was acknowledged")
    return found[0]


def check_document(folder: str, acked: Sequence[str]) -> None:
    with document_of(folder) as document:
        check_value(document.read(), at_least=len(acked))
        document.update(lambda value: value.update(value_of(LAST)))
        check_value(document.read(), at_least=LAST)
    nothing_left_over(folder)


def check_kept(folder: str, acked: Sequence[str]) -> None:
    """Old versions are whole, in order, and the last one is that before the present."""
    with document_of(folder, keep=2) as document:
        version = check_value(document.read(), at_least=len(acked))
        kept = [
            check_value(json.loads(k.path.read_text()), at_least=0) for k in document.versions()
        ]
    if kept != sorted(kept):
        raise ValueError(f"old versions are out of order: {kept}")
    if version and not {version - 1, version} & set(kept[-1:]):
        raise ValueError(
            f"lost: version {version} stands, the newest old one of {kept} is not there"
        )
    check_document(folder, acked)


def restore(folder: str, version: int) -> None:
    """Change, then go back: the document holds what it held."""
    with document_of(folder, keep=4) as document:
        document.write(value_of(version))
        number = document.versions()[-1].number
        document.restore(number)
        document.write(value_of(version))


def quarantine(folder: str, version: int) -> None:
    with document_of(folder) as document:
        with open(os.path.join(folder, "state.json"), "wb") as file:
            file.write(b"{" + contents(version))
            file.flush()
            os.fsync(file.fileno())
        document.quarantine()


def check_quarantined(folder: str, acked: Sequence[str]) -> None:
    """Damaged contents that were moved away are there, whole."""
    for number in range(1, len(acked) + 1):
        if read(folder, f"state.json.corrupt-{number}") != b"{" + contents(number):
            raise ValueError(f"lost: state.json.corrupt-{number} was acknowledged")
    nothing_left_over(folder)


def stream_through(folder: str, version: int, *, name: str = "trace") -> None:
    """Each time a stream of its own, with syncs asked for and syncs by its timer."""
    data = contents(version)
    try:
        with Stream(
            os.path.join(folder, name), sync_every_s=0.01, max_unsynced_bytes=10_000
        ) as file:
            for start in range(0, len(data), 3000):
                file.write(data[start : start + 3000])
            file.sync()
    except HandlePoisoned as error:
        raise OSError(f"{error}: {error.first}") from error


def check_stream(folder: str, acked: Sequence[str]) -> None:
    """What was synced is there, byte for byte; what is behind it may be anything, or missing."""
    durable = b"".join(contents(version) for version in range(1, len(acked) + 1))
    found = read(folder, "trace") or b""
    if not found.startswith(durable):
        same = next(at for at in range(len(durable)) if found[at : at + 1] != durable[at : at + 1])
        raise ValueError(f"lost: of {len(durable)} bytes that were synced, {same} are there")
    if len(found) > sum(len(contents(version)) for version in range(1, ROUNDS + 1)):
        raise ValueError(f"torn: {len(found)} bytes were never written")
    stream_through(folder, LAST)
    if not (read(folder, "trace") or b"").endswith(contents(LAST)):
        raise ValueError("unusable: what was written after the crash is not at the end")


def line_of(version: int) -> str:
    return contents(version).hex()[:3000] + f" {version}"


def append_line(folder: str, version: int, **options: Any) -> None:
    with LineLog(os.path.join(folder, "app.log"), **options) as log:
        log.append(line_of(version))


def append_lines(folder: str, version: int) -> None:
    """Three records side by side; the last tells that all of them stand."""
    with LineLog(os.path.join(folder, "app.log")) as log:
        log.append_many([f"first of {version}", f"second of {version}", line_of(version)])


def log_by_handler(folder: str, version: int) -> None:
    path = os.path.join(folder, "app.log")
    with closing(DurableHandler(path, maxBytes=4000, backupCount=9)) as handler:
        handler.handle(logging.makeLogRecord({"msg": line_of(version), "levelno": logging.ERROR}))


def check_lines(folder: str, acked: Sequence[str]) -> None:
    """Every acknowledged line stands once and in order, old files included; appending goes on."""
    known = [line_of(version) for version in range(1, LAST + 1)]
    with LineLog(os.path.join(folder, "app.log"), max_bytes=4000) as log:
        found = [record.text for record in log.read() if record.text in known]
        if found != known[: len(found)] or len(found) < len(acked):
            raise ValueError(f"lost: {[known.index(line) + 1 for line in found]} of {len(acked)}")
        if not log.check().ok:
            raise ValueError(f"damaged: {log.check()}")
        log.append("afterwards")
        if [record.text for record in log.read()][-1:] != ["afterwards"]:
            raise ValueError("the line after the crash does not stand on its own")
    nothing_left_over(folder)


def append_to_log(folder: str, version: int, *, segment_bytes: int = 16 << 10) -> None:
    """Each time a handle of its own; a record of three blocks, and a batch."""
    with Log(os.path.join(folder, "events.log"), segment_bytes=segment_bytes) as log:
        log.append(contents(version))
        log.append_many([line_of(version).encode(), b""])


def write_to_log(folder: str, version: int) -> None:
    """Two appends that a barrier makes durable."""
    with Log(os.path.join(folder, "events.log"), sync="never") as log:
        log.append(contents(version))
        log.append_many([line_of(version).encode(), b""])
        log.barrier()


def records_of(version: int) -> list[bytes]:
    return [contents(version), line_of(version).encode(), b""]


def check_log(folder: str, acked: Sequence[str]) -> None:
    """Every acknowledged record stands once and in order, batches are whole; appending goes on."""
    known = [data for version in range(1, ROUNDS + 1) for data in records_of(version)]
    with Log(os.path.join(folder, "events.log"), vfs=Rebooted(SYSTEM)) as log:
        found = [record.data for record in log.read()]
        if found != known[: len(found)] or len(found) < 3 * len(acked):
            raise ValueError(f"lost: {len(found)} records, and {3 * len(acked)} were acknowledged")
        if len(found) % 3 == 2:
            raise ValueError(f"torn: {len(found)} records, the last are half a batch")
        last = log.append(b"afterwards")
        if last != len(found) + 1 or [r.data for r in log.read()] != [*found, b"afterwards"]:
            raise ValueError(f"the record after the crash is number {last} behind {len(found)}")
        if not log.check().ok:
            raise ValueError(f"damaged: {log.check()}")
    nothing_left_over(folder)


DOCUMENT = {"check": check_document, "prepare": prepare_document}

WORKLOADS = (
    workload("write_bytes", write_bytes),
    workload(
        "write_bytes, new folders",
        in_new_folders,
        check=partial(check_created, pattern="x{}/y/state"),
    ),
    workload("write_bytes, backup", with_backup, check=check_backup),
    workload("write_text", write_text),
    workload("open w", stream),
    workload("open x", create, check=partial(check_created, pattern="new-{}")),
    workload("write_many", many, check=check_many),
    workload("replacing", through_a_path),
    workload("FileLock and write_bytes", under_a_lock, check=check_lock),
    workload("compat.atomicwrites", through_atomicwrites),
    workload("Document.update", update, **DOCUMENT),
    workload(
        "Document.update, keep=2",
        partial(update, keep=2),
        check=check_kept,
        prepare=prepare_document,
    ),
    workload("Document.write", write_document, **DOCUMENT),
    workload("Document.restore", restore, **DOCUMENT),
    workload("Document.quarantine", quarantine, check=check_quarantined, prepare=prepare_document),
    workload("Draft.commit", commit_draft, **DOCUMENT),
    workload("edit", edit, **DOCUMENT),
    workload("LineLog.append", append_line, check=check_lines),
    workload(
        "LineLog.append, rotation",
        partial(append_line, max_bytes=4000),
        check=check_lines,
    ),
    workload("LineLog.append_many", append_lines, check=check_lines),
    workload("DurableHandler", log_by_handler, check=check_lines),
    workload("Stream", stream_through, check=check_stream),
    workload("Log.append", append_to_log, check=check_log),
    workload(
        "Log.append, one segment",
        partial(append_to_log, segment_bytes=1 << 20),
        check=check_log,
    ),
    workload("Log.barrier", write_to_log, check=check_log),
    workload("Store put and transaction", states.put_and_transact, check=states.check_store),
    workload("Store.checkpoint", states.with_checkpoints, check=states.check_store),
    workload(
        "Store.checkpoint, keep=1",
        partial(states.with_checkpoints, keep=1),
        check=states.check_store,
    ),
    workload("Store.checkpoint, large", states.large_checkpoints, check=states.check_store),
    workload("Journal.commit", states.commit_to_journal, check=states.check_journal),
)
