"""Parsers: the help, and the arguments of commands."""

from __future__ import annotations

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.parser import exit_code, label, seconds
from holdfast.cli.texts import parsers
from holdfast.cli.verbs import VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb(verb, cli) -> None:
    """The help of each verb fits 79 columns, and has usage, summary, options and examples."""
    code, out, err = cli(verb, "--help")

    assert (0, "") == (code, err)
    assert 79 >= max(map(len, out.splitlines()))
    assert out.startswith(f"usage: holdfast {verb} ")
    for part in ("\noptions:\n", "  -h, --help", "\nexamples:\n  "):
        assert part in out


@pytest.mark.parametrize("verb", VERBS)
def test_every_argument_is_explained(verb) -> None:
    """Each argument has a help text, and no option is explained twice."""
    shown = parsers()[verb].shown
    labels = [label(action) for action in shown]

    assert [] == [label(action) for action in shown if not action.help]
    assert sorted(set(labels)) == sorted(labels)


def test_command_follows_the_dashes_or_the_file() -> None:
    """CMD is what follows the file, or the `--` behind it, options and all."""
    parser = parsers()["lock"]
    args = parser.read(["f", "-n", "--", "cmd", "-x", "--", "y"])
    assert ("f", 0.0, ["cmd", "-x", "--", "y"]) == (args.file, args.wait, args.command)

    args = parsers()["lock"].read(["-n", "f", "cmd", "-x"])
    assert ("f", 0.0, ["cmd", "-x"]) == (args.file, args.wait, args.command)


@pytest.mark.parametrize(
    ("words", "file", "wait_s", "command"),
    [
        ("f cmd -- x", "f", None, "cmd -- x"),
        ("-- -f cmd -- x", "-f", None, "cmd -- x"),
        ("-- f -- -- x", "f", None, "-- x"),
        ("-w 5 f -- cmd", "f", 5.0, "cmd"),
        ("-w5 -sn f cmd -n", "f", 0.0, "cmd -n"),
        ("-sw 5 f cmd", "f", 5.0, "cmd"),
        ("--timeout 5 f cmd", "f", 5.0, "cmd"),
        ("--timeout=5 f cmd", "f", 5.0, "cmd"),
        ("f -w 5 -- cmd", "f", 5.0, "cmd"),
        ("f -w 5", "f", 5.0, ""),
    ],
)
def test_dashes_separate_only_before_the_command(words, file, wait_s, command) -> None:
    """`--` means something before the file, and up to the first word of CMD; later it is CMD's."""
    args = parsers()["lock"].read(words.split())

    assert (file, wait_s, command.split()) == (args.file, args.wait, args.command)


def test_option_after_the_file_is_no_command() -> None:
    """An option between the file and a CMD without `--` is refused, not run."""
    with pytest.raises(Failure, match="put -n before the file") as caught:
        parsers()["lock"].read(["f", "-n", "cmd"])

    assert 2 == caught.value.exit_code


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
