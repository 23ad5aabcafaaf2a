"""The entry: what needs no verb, and how a mistake of usage ends."""

from __future__ import annotations

import pytest

import holdfast
from holdfast.cli.verbs import GROUPS, HELP, VERBS
from tests.support.command_line import run_program


@pytest.mark.parametrize("argv", [(), ("--help",), ("-h",), ("help",)])
def test_general_help_is_printed(argv, cli) -> None:
    """No argument, and each way to ask, prints the same help."""
    assert (0, HELP, "") == cli(*argv)


def test_general_help_names_every_verb() -> None:
    """Each verb has a line of its own in the general help."""
    lines = [f"{line.strip()} " for line in HELP.splitlines() if line.startswith("  ")]

    assert [] == [verb for verb in VERBS if not any(line.startswith(f"{verb} ") for line in lines)]


def test_groups_are_the_verbs_of_two_words() -> None:
    """Each verb of two words is found by its first, and each second word is one."""
    found = [f"{first} {second}" for first, seconds in GROUPS.items() for second in seconds]

    assert [verb for verb in VERBS if " " in verb] == found


@pytest.mark.parametrize("argv", [("log",), ("log", "--help"), ("log", "-h"), ("help", "log")])
def test_help_of_a_group_lists_its_verbs(argv, cli) -> None:
    """The first word alone prints the lines of its verbs."""
    code, out, err = cli(*argv)

    assert (0, "") == (code, err)
    assert [] == [second for second in GROUPS["log"] if f"\n  log {second} " not in out]


def test_help_of_a_verb_of_two_words_can_be_asked_for_first(cli) -> None:
    """`holdfast help log cat` prints what `holdfast log cat --help` prints."""
    assert cli("log", "cat", "--help") == cli("help", "log", "cat")


def test_unknown_second_word_is_wrong_usage(cli) -> None:
    """It ends with 2 and one line, which names what was probably meant."""
    expected = "holdfast log: there is no verb 'cta'. Did you mean cat?\n"

    assert (2, "", expected) == cli("log", "cta")


def test_general_help_fits_a_terminal() -> None:
    """No line of the general help is longer than 79 columns."""
    assert 79 >= max(map(len, HELP.splitlines()))


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version_is_that_of_the_package(option, cli) -> None:
    """`--version` prints the version of the package."""
    assert (0, f"holdfast {holdfast.__version__}\n", "") == cli(option)


def test_help_of_a_verb_can_be_asked_for_first(cli) -> None:
    """`holdfast help set` prints what `holdfast set --help` prints."""
    assert cli("set", "--help") == cli("help", "set")


def test_unknown_verb_is_wrong_usage(cli) -> None:
    """An unknown verb ends with 2 and one line, which names what was probably meant."""
    code, out, err = cli("inpsect", "file")

    assert (2, "", "holdfast: there is no verb 'inpsect'. Did you mean inspect?\n") == (
        code,
        out,
        err,
    )


def test_unknown_option_is_wrong_usage(cli, state) -> None:
    """A mistake in the options ends with 2 and one line; nothing is changed."""
    before = state.read_bytes()

    code, out, err = cli("set", "--nosuch", state, "n=2")

    assert (2, "") == (code, out)
    assert err.startswith(
        "holdfast set: unrecognized arguments: --nosuch. See holdfast set --help."
    )
    assert 1 == err.count("\n")
    assert before == state.read_bytes()


def test_abbreviated_options_are_refused(cli, state) -> None:
    """A new option can never change what an old script means: abbreviations do not exist."""
    assert 2 == cli("set", "--exist", state, "n=2").code


def test_bug_is_told_from_no(cli, state, monkeypatch) -> None:
    """An error that nobody expected has a code of its own and shows its traceback."""
    from holdfast.cli.verbs import get

    def fail(args):
        raise LookupError("unexpected")

    monkeypatch.setattr(get, "run", fail)

    code, _, err = cli("get", state)

    assert 70 == code
    assert "Traceback" in err
    assert err.endswith("holdfast get: unexpected\n")


def test_interrupt_ends_with_130(cli, state, monkeypatch) -> None:
    """A KeyboardInterrupt ends with 130 and no traceback."""
    from holdfast.cli.verbs import get

    def interrupt(args):
        raise KeyboardInterrupt

    monkeypatch.setattr(get, "run", interrupt)

    assert (130, "", "") == cli("get", state)


def test_module_is_the_program() -> None:
    """`python -m holdfast` is the command itself."""
    assert (0, f"holdfast {holdfast.__version__}\n", "") == run_program("--version")
