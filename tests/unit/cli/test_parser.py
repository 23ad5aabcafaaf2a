"""Declared arguments, and command lines of plain words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.exits import Failure
from holdfast.cli.full_parser import FullParser
from holdfast.cli.parser import Namespace, Parser, exit_code, seconds
from holdfast.cli.texts import module_of
from holdfast.cli.verbs import VERBS

WORDS = ["f", "a.b", "k=v", "bash", "--", "-", "-n", "-x", "--json", "-1", "", "a b", "--wait=1"]


@given(verb=st.sampled_from(sorted(VERBS)), words=st.lists(st.sampled_from(WORDS), max_size=5))
def test_plain_words_mean_what_the_whole_parser_says(verb: str, words: list[str]) -> None:
    """Whatever is read the quick way is read the same by argparse; the rest is left to it."""
    parser = Parser(verb, module_of(VERBS[verb]))
    plain = parser.read_plain(list(words))
    try:
        full = FullParser(parser).read(list(words))
    except (Failure, SystemExit):
        full = None

    assert plain is None or (full is not None and vars(full) == vars(plain))


@pytest.mark.parametrize(
    "line", ["get f", "get f k", "set f k v", "set f k=v", "del f a b", "lock f cmd -x",
             "lock f -- cmd", "edit f -- sort -u", "inspect f", "sweep", "sweep d", "write f",
             "doctor", "doctor d", "log_append d", "log_append d one two", "log_cat d", "verify p"],
)  # fmt: skip
def test_common_lines_need_no_argparse(line: str) -> None:
    """A file and some words are read without the whole parser."""
    verb, *words = line.split()
    verb = verb.replace("_", " ")

    assert None is not Parser(verb, module_of(VERBS[verb])).read_plain(words)


@pytest.mark.parametrize("text", ["-1", "inf", "nan", "x"])
def test_senseless_times_are_refused(text) -> None:
    """A number of seconds is finite and not negative."""
    with pytest.raises(ValueError, match=r"."):
        seconds(text)


@pytest.mark.parametrize("text", ["-1", "256", "x"])
def test_senseless_codes_are_refused(text) -> None:
    """An exit code is a number from 0 to 255."""
    with pytest.raises(ValueError, match=r"."):
        exit_code(text)


def test_missing_option_is_left_to_the_whole_parser() -> None:
    """One that must be given is not among plain words."""
    parser = Parser("log drop", module_of("log_drop"))

    assert None is parser.read_plain(["d"])


@pytest.mark.parametrize(
    ("given", "expected"), [("log/", "log"), ("log//", "log"), ("/", "/"), ("./", "."), ("a", "a")]
)
def test_slash_at_the_end_of_a_folder_is_taken_off(given, expected) -> None:
    """Completion puts it there."""
    args = Namespace(folder=given)
    args.trim_folder()

    assert expected == args.folder
    Namespace(file="a/").trim_folder()
