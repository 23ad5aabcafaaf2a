"""An interrupt after any call, of Python or of C, leaves the old contents or the new, and no temp.

Real ones come at just these places: when a function is entered, and when a call has returned. What
cannot be closed in Python: the number of a descriptor that the system has returned and nobody has
noted yet, and a second interrupt during the removal.
"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from holdfast.primitives.replace import write_bytes
from holdfast.primitives.replacing import replacing
from holdfast.primitives.write_many import write_many
from holdfast.primitives.writer import open as hold_open
from tests.support.interrupts import interrupted
from tests.support.leftovers import temporary

OLD, NEW = b"old", b"new"


def by_bytes(folder: Path) -> None:
    write_bytes(folder / "a", NEW, sync="never")


def by_bytes_with_backup(folder: Path) -> None:
    write_bytes(folder / "a", NEW, backup="b", sync="never")


def by_stream(folder: Path) -> None:
    with hold_open(folder / "a", "wb", sync="never") as file:
        file.write(NEW)


def by_text_stream_of_a_new_file(folder: Path) -> None:
    with hold_open(folder / "new", "w", sync="never") as file:
        file.write("new")


def by_batch(folder: Path) -> None:
    write_many({folder / "a": NEW, folder / "c": NEW}, sync="never")


def by_tool(folder: Path) -> None:
    with replacing(folder / "a", sync="never") as path:
        path.write_bytes(NEW)


@pytest.mark.leaks_allowed
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    "write",
    [by_bytes, by_bytes_with_backup, by_stream, by_text_stream_of_a_new_file, by_batch, by_tool],
)
def test_interrupt_anywhere_leaves_nothing_temporary(write, tmp_path) -> None:
    """At the first event, the second, and so on to the end."""
    write(tmp_path)  # loads what is loaded when it is needed
    last = nth = 0
    for nth in range(1, 2000):
        (tmp_path / "a").write_bytes(OLD)
        (tmp_path / "new").unlink(missing_ok=True)
        if not interrupted(lambda: write(tmp_path), nth=nth):
            break
        last = nth
        if temporary(tmp_path):
            gc.collect()  # the traceback may have held what removes it
        assert [] == temporary(tmp_path), f"event {nth}"
        assert (tmp_path / "a").read_bytes() in {OLD, NEW}

    assert 40 < last == nth - 1
