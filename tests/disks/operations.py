"""Every public operation of holdfast that writes, as a workload with promises for real disks.

Each does the same three times and acknowledges each time. `WORKLOADS` is what the command reads; an
operation that is added to the library gets a line there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import partial

import holdfast
from holdfast.compat.atomicwrites import atomic_write
from holdfast.crash.disks.controls import contents
from holdfast.crash.disks.harness import Workload

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
)
