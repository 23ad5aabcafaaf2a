"""The checker of histories finds what it is there to find."""

from __future__ import annotations

import pytest

from tests.support.log_history import (
    Entry,
    Sight,
    Told,
    decode,
    digest_of,
    problems,
    read_notes,
    wrong_sights,
)

A = [Entry("a", number, number, 1) for number in range(4)]
B = [Entry("b", number, 0, 3) for number in range(3)]
LOG = [A[0], *B, A[1], A[2]]
TOLD = {"a": Told(4, {0: 1, 1: 5}), "b": Told(3, {0: 2, 1: 3, 2: 4})}


def test_good_history_has_no_problems() -> None:
    """Also with records that were begun and never acknowledged, there or not."""
    assert [] == problems(LOG, TOLD)
    assert [] == problems(LOG[:-1], TOLD)


@pytest.mark.parametrize(
    ("log", "problem"),
    [
        ([A[0], *B, A[2]], "lost before it"),
        ([*LOG, A[0]], "doubled or out of order"),
        ([A[0], *B, A[2], A[1]], "lost before it"),
        ([A[0], *B], "was acknowledged as 5, beyond the end"),
        ([*B, A[0], A[1]], "was acknowledged as 1"),
        ([A[0], B[0], A[1], B[1], B[2]], "is not beside the first of its batch"),
        ([A[0], B[0], B[1], A[1]], "is not whole"),
        ([*LOG, Entry("c", 0, 0, 1)], "never began"),
        ([*LOG, A[3], Entry("a", 4, 4, 1)], "never began number 4"),
    ],
)
def test_each_kind_of_fault_is_found(log: list[Entry], problem: str) -> None:
    """Lost, doubled, out of order, misplaced, torn apart, made up."""
    assert any(problem in found for found in problems(log, TOLD)), problems(log, TOLD)


def test_what_was_dropped_on_purpose_is_not_missed() -> None:
    """With the first segments gone; but nothing after the first that is kept."""
    assert [] == problems(LOG[4:], TOLD, first=5)
    assert [] != problems(LOG[5:], TOLD, first=5)
    assert [] != problems(LOG[2:], TOLD, first=3)  # in the middle of a batch


def test_problems_are_not_more_than_asked_for() -> None:
    """A thousand lost records are told by a few lines."""
    assert 2 == len(problems([], {"a": Told(1000, {n: n + 1 for n in range(1000)})}, most=2))


def test_sights_are_held_against_the_log() -> None:
    """What was seen is there still, and the same; what was dropped is not asked for."""
    data = [b"1", b"2", b"3", b"4"]
    digests = [digest_of(number, each) for number, each in enumerate(data, 1)]
    good = [Sight(1, 4, sum(digests)), Sight(2, 3, sum(digests[1:3])), Sight(4, 4, digests[3])]
    assert [] == wrong_sights(digests, good)
    assert [] == wrong_sights(digests[2:], good, first=3)
    assert [] != wrong_sights(digests, [Sight(1, 5, sum(digests))])
    assert [] != wrong_sights(digests, [Sight(1, 3, sum(digests))])
    assert [] != wrong_sights(digests, [Sight(1, 2, digest_of(1, b"2") + digest_of(2, b"1"))])


def test_records_are_read_back_or_refused() -> None:
    """Every kind of record, and none with a byte too few."""
    for number in range(220):
        entry = Entry("a0.3b", number, number, 1)
        assert entry == decode(entry.encode())
    with pytest.raises(ValueError, match="not as it was written"):
        decode(Entry("a", 5, 5, 1).encode()[:-1])


def test_notes_are_read() -> None:
    """Begun, and told: a batch by the sequence of its last record."""
    lines = ["b 0 1", "a 0 1 7", "b 1 3", "b 4 1", "a 1 3 12"]
    assert Told(5, {0: 7, 1: 10, 2: 11, 3: 12}) == read_notes(lines)
