"""What this boot knows to be durable is asked of the shared tail, and of nothing else."""

from __future__ import annotations

from holdfast.formats.log_format import segment_name
from holdfast.primitives.log import Log
from holdfast.primitives.log_known import Known, known_of
from holdfast.vfs.memory import MemoryVFS

PATH = "/log"


def written() -> MemoryVFS:
    """A log of two records."""
    disk = MemoryVFS()
    with Log(PATH, vfs=disk) as log:
        log.append_many([b"a", b"b"])
    return disk


def test_durable_is_told_on_the_boot_that_made_it() -> None:
    """On another one nobody tells."""
    disk = written()
    assert Known(2, None) == known_of(PATH, vfs=disk)
    assert Known(0, None) == known_of(PATH, vfs=disk.crash(seed=1))


def test_missing_log_is_no_loss() -> None:
    """There is nothing that could tell."""
    assert Known(0, None) == known_of("/nowhere", vfs=MemoryVFS())


def test_segment_that_is_gone_is_the_problem() -> None:
    """The shared tail still speaks of it."""
    disk = written()
    disk.folder(PATH).unlink(segment_name(1))
    known = known_of(PATH, vfs=disk)
    assert known.problem is not None
    assert str(known.problem) == known.missing_after(0, PATH)


def test_sentence_names_what_is_missing_and_what_it_costs_to_give_it_up() -> None:
    """Nothing is said if all is there."""
    known = Known(5, None)
    assert known.missing_after(5, PATH) is None
    assert known.missing_after(9, PATH) is None
    said = known.missing_after(3, PATH) or ""
    assert "up to 5 were durable" in said
    assert "give up the records from 4 on" in said
