"""Tables and lists are told apart."""

from __future__ import annotations

from holdfast.cli.kinds import is_list, is_table


def test_tables_and_lists_are_told_apart() -> None:
    """A dict is a table, a list is a list, text is neither."""
    values = ({}, [], "ab")

    assert [True, False, False] == [is_table(v) for v in values]
    assert [False, True, False] == [is_list(v) for v in values]
