"""Words of a report."""

from __future__ import annotations

from holdfast.crash.explorer.wording import (
    function_key,
    headline,
    label,
    losses,
    normalised,
    place,
    plural,
    site_key,
)
from holdfast.crash.recording import Call, Site
from holdfast.vfs.micro import Attribute, Block, Entry, Move, Shrink, Size, Swap, ZeroTail

OWN = Site("/home/u/app.py", 16, "save")
LIBRARY = Site("/usr/lib/python3.11/json/__init__.py", 180, "dump")


def call(*sites: Site) -> Call:
    return Call(3, "rename('a1', 'b')", 1, 1, sites)


def test_title_is_the_line_that_tells_most() -> None:
    """The first line, or the last one of a traceback; without the word AssertionError."""
    assert "lost" == headline("AssertionError: lost\nmore", kind="violated")
    trace = "Traceback (most recent call last):\n  File x\nValueError: torn"
    assert "ValueError: torn" == headline(trace, kind="violated")
    assert "the check hung" == headline("", kind="hung")
    assert 76 >= len(headline("x" * 200, kind="violated"))


def test_digits_do_not_tell_two_bugs_apart() -> None:
    """Nor do addresses and random names."""
    assert normalised("have 10 at 0x7f00aa") == normalised("have 9 at 0x7f11bb")
    assert normalised("f1e2d3c4b5.tmp") == normalised("a1b2c3d4e5.tmp")
    assert normalised("old") != normalised("new")


def test_place_names_the_program_behind_a_library() -> None:
    """A line of the standard library alone would help nobody."""
    assert "u/app.py:16" == place(call(OWN))
    assert "json/__init__.py:180 < u/app.py:16" == place(call(LIBRARY, OWN))
    assert "" == place(call())
    assert "#3 rename('a1', 'b') (u/app.py:16)" == label(call(OWN))


def test_keys_are_of_the_line_and_of_the_function() -> None:
    """Without a site, the text without its digits."""
    assert "/home/u/app.py:16" == site_key(call(OWN))
    assert "/home/u/app.py:save" == function_key(call(LIBRARY, OWN))
    assert site_key(call()) == site_key(Call(9, "rename('a2', 'b')", 1, 1))


def test_losses_are_merged_and_named() -> None:
    """Neighbouring blocks are one range."""
    blocks = (Block(0, 2, 0, b"a" * 4096, 0), Block(0, 2, 4096, b"b" * 10, 0))
    assert "bytes 0..4105, the size of 4106" == losses((*blocks, Size(0, 2, 4106)))
    assert "bytes 0..0, bytes 9..9" == losses((Block(0, 2, 0, b"a", 0), Block(0, 2, 9, b"b", 0)))
    assert "the name 'a'" == losses([Entry(0, 1, "a", 2)])
    assert "the removal of the name 'a'" == losses([Entry(0, 1, "a", None)])
    assert "the move of 'a' to 'b'" == losses([Move(0, 1, "a", 1, "b", 2)])
    assert "the exchange of 'a' and 'b'" == losses([Swap(0, 1, "a", 1, "b", 2, 3)])
    assert "its mode" == losses([Attribute(0, 2, "mode", 0o600)])
    assert "the zeros at 1..9, the size of 1" == losses([ZeroTail(0, 2, 1, 10), Shrink(0, 2, 1)])


def test_plural() -> None:
    """One bug, two bugs."""
    assert ["1 bug", "2 bugs", "1,000 bugs"] == [plural(n, "bug") for n in (1, 2, 1000)]
