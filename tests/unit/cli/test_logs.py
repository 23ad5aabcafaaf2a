"""What the verbs of a log share; the forms are tested with `log cat`."""

from __future__ import annotations

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.logs import Printer, number, require_log
from holdfast.cli.parser import Namespace
from holdfast.formats.log_format import Record


def printer(**options: bool) -> Printer:
    return Printer(Namespace(**{"null": False, "jsonl": False, "sequence": False, **options}))


@pytest.mark.parametrize("text", ["1", "9" * 19])
def test_sequences_are_numbers_from_one_on(text) -> None:
    """As many digits as a sequence can have."""
    assert int(text) == number(text)


@pytest.mark.parametrize("text", ["0", "", "-1", "1" * 20, "\u0661", "1 ", "1_0"])
def test_other_text_is_no_sequence(text) -> None:
    """It is refused with its own words."""
    with pytest.raises(ValueError, match="not a number from 1 on"):
        number(text)


def test_last_sequence_is_returned(capfdbinary) -> None:
    """None if there was no record."""
    assert None is printer().add([])
    assert 7 == printer().add([Record(6, b"a"), Record(7, b"b")])
    assert b"a\nb\n" == capfdbinary.readouterr().out


def test_what_came_before_an_error_is_printed(capfdbinary) -> None:
    """The reader sees how far it went."""

    def failing():
        yield Record(1, b"a")
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        printer().add(failing())

    assert b"a\n" == capfdbinary.readouterr().out


def test_folder_of_something_else_is_no_log(tmp_path) -> None:
    """It is refused, and a log that is about to be made is none yet."""
    with pytest.raises(Failure, match="is no log"):
        require_log(str(tmp_path))
    (tmp_path / "lock").touch()

    assert str(tmp_path) == require_log(str(tmp_path))
