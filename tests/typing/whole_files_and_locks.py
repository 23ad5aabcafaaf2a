"""Checked by mypy and pyright, never run: whole files and locks.

An ignored line is a misuse that must be an error: an ignore that is not needed fails the check.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, assert_type

import holdfast


def text_and_bytes_are_told_apart(path: Path) -> None:
    """A text mode gives a file for text, a binary one a file for bytes."""
    with holdfast.open(path, "w", encoding="utf-8", newline="") as text:
        as_text: IO[str] = text
        text.write("a")
        text.write(b"a")  # type: ignore[arg-type]
        text.discard()
    with holdfast.open(str(path), "xb", sync="never", permissions=0o600) as data:
        as_bytes: IO[bytes] = data
        data.write(b"a")
        data.write("a")  # type: ignore[arg-type]
    holdfast.open(path, "r")  # type: ignore[call-overload]
    _ = as_text, as_bytes


def whole_contents(path: Path) -> None:
    """Bytes are bytes, text is text, and options are named."""
    holdfast.write_bytes(path, b"a", sync="always")
    holdfast.write_bytes(path, memoryview(b"a"))
    holdfast.write_bytes(path, "a")  # type: ignore[arg-type]
    holdfast.write_text(path, "a", encoding="latin-1")
    holdfast.write_text(path, b"a")  # type: ignore[arg-type]
    holdfast.write_text(path, "a", sync="sometimes")  # type: ignore[arg-type]


def many_files(path: Path) -> None:
    """Text and bytes may be mixed in one batch; leftovers are paths."""
    holdfast.write_many({path: b"a", "b.txt": "text"})
    texts: dict[Path, str] = {path: "a"}
    contents: dict[str, bytes] = {"a": b"a"}
    mixed: dict[str, str | bytes] = {"a": b"a", "b": "b"}
    for files in (texts, contents, mixed):
        holdfast.write_many(files)
    holdfast.write_many({1: "a"})  # type: ignore[dict-item]
    holdfast.write_many({path: 1})  # type: ignore[dict-item]
    assert_type(holdfast.sweep(path), list[Path])


async def twins(path: Path) -> None:
    """Every call that waits has a twin for asyncio that takes the same."""
    await holdfast.awrite_bytes(path, b"a")
    await holdfast.awrite_text(path, "a", encoding="utf-8")
    await holdfast.awrite_many({path: "a"})
    assert_type(await holdfast.asweep(path), list[Path])


def locks(path: Path) -> None:
    """A lock is a context manager; its holder may be unknown."""
    lock = holdfast.FileLock(path)
    with lock:
        pass
    with lock.shared():
        pass
    lock.acquire(shared=True, timeout_s=1.5)
    lock.acquire(True)  # type: ignore[call-arg]
    lock.release()
    holder = lock.holder()
    assert_type(holder, holdfast.Holder | None)
    if holder is not None:
        assert_type(holder.pid, int)
        assert_type(holder.host, str)
        assert_type(holder.program, str)


def errors(error: holdfast.HoldfastError) -> str:
    """Errors carry their facts, and are what the standard library would raise as well."""
    match error:
        case holdfast.LockTimeout():
            as_timeout: TimeoutError = error
            return f"{as_timeout} {error.waited_s + 1}"
        case holdfast.CommittedNotDurable() | holdfast.PromiseUnavailable():
            as_system: OSError = error
            return str(as_system.errno)
        case holdfast.DecodeError():
            as_value: ValueError = error
            return f"{as_value} {error.line}"
        case holdfast.PartlyCommitted():
            return " ".join([*error.committed, *error.failed])
        case _:
            return error.message
