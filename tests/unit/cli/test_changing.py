"""One change of a document; what `set` and `del` make of it is tested with them."""

from __future__ import annotations

import pytest

from holdfast.cli.changing import change
from holdfast.cli.exits import Failure
from holdfast.cli.parser import Namespace
from holdfast.formats.plain import MISSING


def options(path, **others):
    given = {
        "file": str(path),
        "parse": None,
        "no_sync": False,
        "wait": None,
        "verbose": False,
    }
    return Namespace(**{**given, **others})


def test_format_can_be_named(tmp_path) -> None:
    """A file without a telling suffix is changed in the format that is named."""
    path = tmp_path / "config"
    path.write_text("a = 1  # one\n")

    change(options(path, parse="toml"), lambda root: {**root, "a": 2}, default=MISSING, verb="set")

    assert "a = 2  # one\n" == path.read_text()


def test_unknown_format_is_refused_before_the_lock(tmp_path) -> None:
    """Without a known format nothing is read, locked or made."""
    with pytest.raises(Failure, match="--parse"):
        change(options(tmp_path / "config"), lambda root: root, default={}, verb="set")

    assert [] == list(tmp_path.iterdir())


def test_value_that_cannot_be_written_is_bad_data(state) -> None:
    """What the format cannot hold is told without a traceback; the file stays."""
    before = state.read_bytes()

    with pytest.raises(Failure, match="It is unchanged") as caught:
        change(options(state), lambda root: {"a": {1, 2}}, default=MISSING, verb="set")

    assert 65 == caught.value.exit_code
    assert before == state.read_bytes()
