"""What the verbs of a log share; the forms are tested with `log cat`."""

from __future__ import annotations

import json

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.logs import Printer, comes, number, require_log
from holdfast.cli.parser import Namespace
from holdfast.formats.log_format import Record
from holdfast.state.store import Store


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
    (tmp_path / "other").touch()
    with pytest.raises(Failure, match="is no log"):
        require_log(str(tmp_path))
    (tmp_path / "other").rename(tmp_path / "lock")

    assert str(tmp_path) == require_log(str(tmp_path))


def test_empty_folder_is_an_empty_log_to_read(tmp_path) -> None:
    """Nothing is in it to be dropped, though."""
    assert str(tmp_path) == require_log(str(tmp_path))
    with pytest.raises(Failure, match="is no log"):
        require_log(str(tmp_path), may_be_empty=False)


def test_log_of_a_store_is_only_read(cli, tmp_path) -> None:
    """Appending and dropping are refused, with what to use; so is the folder of a store."""
    with Store(tmp_path / "s") as store:
        store["a"] = 1
    before = {path: path.read_bytes() for path in (tmp_path / "s" / "log").iterdir()}

    for words in (
        ("append", tmp_path / "s" / "log", "x"),
        ("drop", "--before", 1, tmp_path / "s" / "log"),
    ):
        code, out, err = cli("log", *words)
        assert (65, "") == (code, out)
        assert "is the log of the store" in err
        assert "holdfast store put" in err
    assert before == {path: path.read_bytes() for path in (tmp_path / "s" / "log").iterdir()}
    for words in (("append", "x"), ("cat",), ("tail",), ("follow",), ("drop", "--before", 1)):
        code, out, err = cli("log", words[0], tmp_path / "s", *words[1:])
        assert (65, "") == (code, out)
        assert "is a store, no log" in err
    assert [1] == [
        record["sequence"]
        for record in json.loads(cli("log", "cat", "--json", tmp_path / "s" / "log").out)
    ]
    assert 0 == cli("log", "tail", tmp_path / "s" / "log").code
    assert 0 == cli("log", "follow", "--timeout", "0", tmp_path / "s" / "log").code


def test_what_comes_is_waited_for(tmp_path) -> None:
    """At once if it is there; not longer than asked."""
    assert comes(str(tmp_path), 0)
    assert not comes(str(tmp_path / "no"), 0)
    looks = iter([False, False, True])
    assert comes("anything", None, is_there=lambda _: next(looks))
