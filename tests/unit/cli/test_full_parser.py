"""Whole parsers: the help, and the arguments of commands."""

from __future__ import annotations

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.full_parser import label
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


@pytest.mark.parametrize(
    ("verb", "words", "said"),
    [
        ("write", "--mode 9 f", "argument --mode: '9' is not an octal mode from 0 to 7777"),
        ("write", "--sha256 12 f", "argument --sha256: '12' is not a SHA-256 digest of 64"),
        ("write", "--min-bytes -1 f", "argument --min-bytes: '-1' is not a number of bytes"),
        ("set", "--incr x f k", "argument --incr: 'x' is not a number"),
        ("lock", "-w x f", "argument -w/--wait/--timeout: 'x' is not a number of seconds"),
        ("lock", "-E 256 f", "'256' is not a number from 0 to 255"),
    ],
)
def test_refused_value_is_told_in_words(verb, words, said, cli) -> None:
    """A value that an option cannot take is named with what it should be."""
    code, out, err = cli(verb, *words.split())

    assert (2, "") == (code, out)
    assert said in err


@pytest.mark.parametrize(
    "words",
    [
        "--int d k 5",
        "d --int k 5",
        "d k --int 5",
        "d k 5 --int",
        "--int -- d k 5",
        "d k --int -- 5",
    ],
)
def test_options_stand_anywhere(words) -> None:
    """Also between the arguments, where one may be left out."""
    args = parsers()["store put"].read(words.split())

    assert ("d", "k", "5", "int") == (args.folder, args.key, args.value, args.kind)


def test_value_of_an_option_goes_with_it() -> None:
    """And a negative number, or a dash, is no option."""
    args = parsers()["log append"].read(["d", "--sync", "never", "-5", "-", "q", "--", "--each"])

    assert ("d", "never", ["-5", "-", "q", "--each"]) == (args.folder, args.sync, args.records)


def test_records_need_not_be_given(cli) -> None:
    """The folder must."""
    assert "required: DIR." in cli("log", "append").err
