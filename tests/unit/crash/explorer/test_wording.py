"""Words of a report."""

from __future__ import annotations

import pytest

from holdfast.crash.explorer.cases import Outcome
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
    """The first line, without the word AssertionError."""
    assert "lost" == headline(Outcome("violated", "AssertionError: lost\nmore"))
    assert "the check hung" == headline(Outcome("hung", ""))
    assert 76 >= len(headline(Outcome("violated", "x" * 200)))


STDERR = {
    "ValueError: torn": """warning: slow
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    raise ValueError("torn")
ValueError: torn
the second line of it
""",
    "app.Torn: no end": "Traceback (most recent call last):\n  File x\napp.Torn: no end",
    "lost": "Traceback (most recent call last):\n  File x\nAssertionError: lost",
    "SyntaxError: Unexpected end of JSON input": """<anonymous_script>:1


SyntaxError: Unexpected end of JSON input
    at JSON.parse (<anonymous>)
    at Object.<anonymous> (/home/u/holds.js:3:20)

Node.js v22.1.0""",
    "AssertionError [ERR_ASSERTION]: milk is gone": """node:assert:126
  throw new AssertionError(obj);
  ^

AssertionError [ERR_ASSERTION]: milk is gone
    at Object.<anonymous> (/home/u/holds.js:4:1) {
  code: 'ERR_ASSERTION'
}

Node.js v22.1.0""",
    "Error: ENOENT: no such file or directory, open 'notes.json'": """node:fs:573
  return binding.open(
                 ^

Error: ENOENT: no such file or directory, open 'notes.json'
    at Object.openSync (node:fs:573:18) {
  errno: -2,
}

Node.js v20.20.2""",
    "panic: milk is gone": "panic: milk is gone\n\ngoroutine 1 [running]:\nexit status 2",
    "milk is gone": """thread 'main' panicked at src/main.rs:3:5:
milk is gone
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace""",
    "notes are gone": "reading notes.json\nnotes are gone\n\n",
    "holds.rb:1:in `<main>': gone (RuntimeError)": (
        "holds.rb:1:in `<main>': gone (RuntimeError)\n\tfrom holds.rb:1:in `<main>'"
    ),
    "  only this".strip(): "  only this",
}


@pytest.mark.parametrize("title", STDERR)
def test_title_of_a_command_is_its_message(title) -> None:
    """Wherever on standard error its language puts it; else the last line."""
    assert title == headline(Outcome("violated", STDERR[title], is_stderr=True))


def test_digits_do_not_tell_two_bugs_apart() -> None:
    """Nor do addresses and random names."""
    assert normalised("have 10 at 0x7f00aa") == normalised("have 9 at 0x7f11bb")
    assert normalised("f1e2d3c4b5.tmp") == normalised("a1b2c3d4e5.tmp")
    assert normalised("0xDEADbeef") == normalised("0xfeedCAFE")
    assert normalised("old") != normalised("new")


def test_temporary_paths_do_not_tell_two_bugs_apart() -> None:
    """A check that copies the folder to a place of its own names another one each time."""
    one = "no '/tmp/check.Xa3kQ/state.json', see /var/tmp/ab_c: gone"
    two = "no '/tmp/check.b77Zz/state.json', see /var/tmp/xy_z: gone"
    assert normalised(one) == normalised(two)
    assert normalised("/home/u/tmpq1_x8aab/s") == normalised("/home/u/tmpzzyy_abc/s")
    uuids = ("be0f3a1c-aaaa-4bcd-8eee-abcdefabcdef", "ce0f3a1c-bbbb-4fff-9aaa-fedcbafedcba")
    assert normalised(uuids[0]) == normalised(uuids[1])
    assert normalised("no /tmp/a/state") != normalised("no /tmp/a/index")
    assert normalised("no data/tmp/a") != normalised("no data/tmp/b")


def test_place_names_the_program_behind_a_library() -> None:
    """A line of the standard library alone would help nobody."""
    assert "u/app.py:16" == place(call(OWN))
    assert "json/__init__.py:180 < u/app.py:16" == place(call(LIBRARY, OWN))
    assert "" == place(call())
    assert "mv+0x7bbf" == place(call(Site("mv+0x7bbf", 0, "")))
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
