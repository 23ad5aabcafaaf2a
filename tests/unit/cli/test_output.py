"""Tables, tab-separated lines, JSON, colour."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from datetime import date

import pytest

from holdfast.cli.output import (
    as_json,
    human_size,
    iso_time,
    print_json,
    print_rows,
    wants_color,
)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


ROWS = [("a", "1"), ("long name", "2")]


def test_table_on_a_terminal_is_aligned() -> None:
    """On a terminal rows are aligned below their titles."""
    with redirect_stdout(Terminal()) as terminal:
        print_rows(ROWS, ("NAME", "N"), color="never")

    assert "NAME       N\na          1\nlong name  2\n" == terminal.getvalue()


def test_table_in_a_pipe_is_tab_separated(capsys) -> None:
    """In a pipe rows are tab-separated and have no titles."""
    print_rows(ROWS, ("NAME", "N"))

    assert "a\t1\nlong name\t2\n" == capsys.readouterr().out


def test_cell_cannot_break_its_line(capsys) -> None:
    """Tabs, newlines and escapes inside a cell are written as escapes."""
    print_rows([("a\tb\nc\x1b[0m",)], ("X",))

    assert r"a\tb\nc\x1b[0m" + "\n" == capsys.readouterr().out


def test_titles_are_bold_where_colour_is_wanted() -> None:
    """With --color always the titles are bold."""
    with redirect_stdout(Terminal()) as terminal:
        print_rows([("a",)], ("X",), color="always")

    assert "\033[1mX\033[0m\na\n" == terminal.getvalue()


@pytest.mark.parametrize(
    ("when", "env", "stream", "wanted"),
    [
        ("auto", {}, Terminal(), True),
        ("auto", {}, io.StringIO(), False),
        ("auto", {"NO_COLOR": "1"}, Terminal(), False),
        ("auto", {"CLICOLOR_FORCE": "1"}, io.StringIO(), True),
        ("auto", {"CLICOLOR_FORCE": "0"}, io.StringIO(), False),
        ("auto", {"TERM": "dumb"}, Terminal(), False),
        ("always", {"NO_COLOR": "1"}, io.StringIO(), True),
        ("never", {"CLICOLOR_FORCE": "1"}, Terminal(), False),
    ],
)
def test_colour_obeys_option_environment_and_terminal(
    when, env, stream, wanted, monkeypatch
) -> None:
    """The option decides, then NO_COLOR, then CLICOLOR_FORCE, then the terminal."""
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    assert wanted is wants_color(stream, when)


def test_json_takes_whatever_a_document_holds() -> None:
    """Dates become ISO 8601, keys text, lone surrogates escapes; other text stays readable."""
    assert '{"2026-11-23": "2026-11-23", "1": "ü", "null": [true]}' == as_json(
        {date(2026, 11, 23): date(2026, 11, 23), 1: "ü", None: [True]}
    )
    assert '"\\udcff"' == as_json("\udcff")


def test_json_in_a_pipe_is_one_line(capsys) -> None:
    """In a pipe a document is printed on one line."""
    print_json({"a": [1]})

    assert '{"a": [1]}\n' == capsys.readouterr().out


def test_json_on_a_terminal_is_indented() -> None:
    """On a terminal a document is indented."""
    with redirect_stdout(Terminal()) as terminal:
        print_json({"a": 1})

    assert '{\n  "a": 1\n}\n' == terminal.getvalue()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1234, "1.2 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (1_500_000, "1.5 MB"),
        (2_000_000_000, "2.0 GB"),
        (3 * 10**12, "3.0 TB"),
    ],
)
def test_size_is_written_in_decimal_units(size, text) -> None:
    """A size has at most one decimal and never four digits before it."""
    assert text == human_size(size)


def test_time_is_utc() -> None:
    """A file's time is written as ISO 8601 in UTC."""
    assert "2023-11-14T22:13:20Z" == iso_time(1_700_000_000_000_000_000)


def test_json_is_json_where_the_output_is_not_unicode() -> None:
    """What the output cannot have is escaped as JSON has it, not as Python has it."""
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="ascii")):
        assert '"\\u00fc\\ud83d\\ude00"' == as_json("ü😀")
