"""The table at the end of the demonstration."""

from __future__ import annotations

from holdfast.demo.report import Row, render, total_lost

ROWS = [Row("edits", 1000, 0), Row("the recipe", 1000, 12345, "not ours", ours=False)]


def test_what_was_lost_is_counted_without_the_recipe() -> None:
    """Only our own rows count."""
    assert 0 == total_lost(ROWS)
    assert 5 == total_lost([*ROWS, Row("a", 9, 2), Row("b", 9, 3)])


def test_table_has_a_row_a_promise() -> None:
    """Each row has its numbers under the heading, with its note behind."""
    head, ruler, first, second = render(ROWS).splitlines()

    assert ["what", "was", "tried", "times", "lost"] == head.split()
    assert {"-", " "} == set(ruler)
    assert ["edits", "1,000", "0"] == first.split()
    assert ["the", "recipe", "1,000", "12,345", "not", "ours"] == second.split()


def test_columns_are_aligned() -> None:
    """Numbers end in one column, whatever their size."""
    _, ruler, *rows = render([row._replace(note="") for row in ROWS]).splitlines()

    assert {len(ruler)} == {len(row) for row in rows}
