"""The result page: what it says, and that it says when something is wrong."""

from __future__ import annotations

from tests.crash.seam import Result
from tests.crash.table import Proof, Run, page, totals
from tests.crash.teeth import Site, Tooth

RUN = Run("1 January 2027", "6.0", "3.11", 12.3)
SITE = Site("primitives/replacement.py", "commit", "file.sync()")
GOOD = Proof(
    "write_bytes",
    "posix",
    (Result("write_bytes", "crash", 1, 1234, True, (), 1.0),),
    (Result("write_bytes", "kill at each call", 7, 7, True, (), 1.0),),
    (Tooth("write_bytes", "sync", 1, SITE, "torn", unnamed=True),),
    True,
)


def test_page_says_how_many_states_under_which_model() -> None:
    """A row has the operation, the model, the states, and whether these are all."""
    text = page([GOOD], RUN)

    assert "| write_bytes | posix | 1,234 | all |" in text
    assert "on 1 January 2027, Linux 6.0, Python 3.11, in 12 s" in text
    assert "`file.sync()` | primitives/replacement.py, `commit` | torn (1) |" in text
    assert "1 operations, 1,234 states and 7 killed or full runs, 0 violations" in text
    assert "0 of 1 explorations are samples; 1 calls switched off one by one" in text
    assert GOOD.ok


def test_page_names_the_page_of_level_3_where_there_is_one() -> None:
    """A link is made only to what exists."""
    assert "[crash-disks.md](crash-disks.md)" in page([GOOD], RUN, disks="crash-disks.md")
    assert "](" not in page([GOOD], RUN).replace("](../explanation/crash-model.md)", "")


def test_violation_is_told_and_counted() -> None:
    """One broken promise makes the whole thing not well, and stands in bold."""
    result = Result("write_bytes", "crash", 1, 10, False, ("torn: a",), 1.0)
    bad = GOOD._replace(seam=(result,))

    assert not bad.ok
    assert "| **1** |" in page([bad], RUN)
    assert "some" in page([bad], RUN)
    assert ["write_bytes, crash: 10 states of 1 runs, 1 violations\ntorn: a"] == [*bad.complaints()]


def test_call_that_nothing_needs_without_a_reason_is_told() -> None:
    """It is in the list, in bold, and the whole is not well."""
    idle = GOOD._replace(teeth=(GOOD.teeth[0]._replace(bites=None),))

    assert not idle.ok
    assert "**none is listed**" in page([idle], RUN)
    assert "no reason is listed" in next(idle.complaints())
    assert "0 listed with a reason, 1 neither" in totals([idle])


def test_difference_between_the_levels_is_told() -> None:
    """What the kernel saw was something else: said in the row and at the end."""
    other = GOOD._replace(same_kinds=False)

    assert not other.ok
    assert "**no**" in page([other], RUN)
    assert "what the kernel saw" in next(other.complaints())


def test_proof_that_did_not_end_is_told() -> None:
    """An operation that could not be tried is no operation without violations."""
    failed = GOOD._replace(failure="Traceback ...")

    assert not failed.ok
    assert "**not proven**" in page([failed], RUN)
    assert "1 proofs did not come to an end" in totals([failed])
    assert ["write_bytes: Traceback ..."] == [*failed.complaints()]
