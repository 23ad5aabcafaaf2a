"""The table of system calls."""

from __future__ import annotations

from holdfast.crash.recorders.syscalls import AARCH64, FAMILIES, SHAPES, X86_64, family


def test_numbers_are_given_once():
    """No two names share a number."""
    for architecture in (X86_64, AARCH64):
        assert len(architecture.numbers) == len(set(architecture.numbers.values()))


def test_families_are_of_known_calls():
    """Every member of a family is a call of the table."""
    assert set() == set(FAMILIES) - set(SHAPES)
    assert ["rename", "rename", "fsync"] == [family(n) for n in ("renameat2", "rename", "fsync")]


def test_shapes_have_known_letters():
    """A folder descriptor stands right before its path, bytes before their length."""
    for name, shape in SHAPES.items():
        assert set(shape.arguments) <= set("dpfsb."), name
        assert len(shape.arguments) <= 6
        for at, letter in enumerate(shape.arguments):
            if letter == "d":
                assert "p" == shape.arguments[at + 1]
            if letter == "b":
                assert "." == shape.arguments[at + 1]
