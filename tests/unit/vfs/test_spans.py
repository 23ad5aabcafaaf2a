"""What is left of ranges when others go."""

from __future__ import annotations

import errno

import pytest

from holdfast.vfs.spans import Span, check_range, left_of


@pytest.mark.parametrize(
    ("expected", "gone"),
    [
        ([(10, 20)], (0, 10)),
        ([(10, 20)], (20, 30)),
        ([(12, 20)], (5, 12)),
        ([(10, 12)], (12, 25)),
        ([(10, 12), (15, 20)], (12, 15)),
        ([], (10, 20)),
        ([], (0, 100)),
    ],
)
def test_left_of_a_span(expected, gone) -> None:
    """What is before and behind stays, of the same kind; nothing empty does."""
    left = left_of([Span(10, 20, shared=True)], Span(*gone, shared=False))

    assert [Span(*pair, shared=True) for pair in expected] == left


def test_left_of_several_spans_keeps_their_kinds() -> None:
    """A range that goes may reach over several."""
    spans = [Span(0, 4, shared=True), Span(4, 8, shared=False)]

    expected = [Span(0, 3, shared=True), Span(5, 8, shared=False)]
    assert expected == left_of(spans, Span(3, 5, shared=True))


@pytest.mark.parametrize(
    "range_", [(-1, 1), (0, 0), (3, -1), (2**63, 1), (0, 2**63), (2, 2**63 - 1)], ids=str
)
def test_no_range_is_refused(range_) -> None:
    """EINVAL, as the kernel would say."""
    with pytest.raises(OSError, match="nvalid") as caught:
        check_range(*range_)
    assert errno.EINVAL == caught.value.errno


def test_longest_range_is_one() -> None:
    """All bytes that a file can have are a range, and so is the last one."""
    check_range(1, 2**63 - 1)
    check_range(2**63 - 1, 1)
