"""What the verbs of a store share."""

from __future__ import annotations

import pytest

from holdfast.cli.exits import Failure
from holdfast.cli.stores import Opaque, codec_in, facts, open_store, value_facts
from holdfast.errors import Corruption
from holdfast.primitives.log import Log
from holdfast.state.store import Store


def test_codec_is_read_from_the_store(tmp_path) -> None:
    """An empty folder has none yet."""
    with Store(tmp_path / "store", codec="text") as store:
        store["a"] = "b"
    (tmp_path / "new").mkdir()

    assert "text" == codec_in(str(tmp_path / "store"))
    assert None is codec_in(str(tmp_path / "new"))
    (tmp_path / "new" / "journal.new").touch()
    assert None is codec_in(str(tmp_path / "new"))


def test_what_is_no_store_is_refused(tmp_path) -> None:
    """By what it is."""
    with Log(tmp_path / "log") as log:
        log.append(b"one")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    for name, said in (("log", "is a log, no store"), ("other", "is no store")):
        with pytest.raises(Failure, match=said):
            codec_in(str(tmp_path / name))
    with pytest.raises(FileNotFoundError):
        codec_in(str(tmp_path / "missing"))
    with pytest.raises(NotADirectoryError):
        codec_in(str(tmp_path / "other" / "file"))


def test_damaged_identity_is_told(tmp_path) -> None:
    """As damage."""
    with Store(tmp_path / "store") as store:
        store["a"] = 1
    path = tmp_path / "store" / "journal"
    path.write_bytes(path.read_bytes()[:200] + b"\1" * 312)

    with pytest.raises(Corruption):
        codec_in(str(tmp_path / "store"))


def test_values_of_a_codec_of_others_are_bytes(tmp_path) -> None:
    """They are shown as what its program made of them."""

    class Odd(Opaque):
        """Somebody's."""

    with Store(tmp_path / "store", codec=Odd("odd")) as store:
        store["a"] = b"\0\1"
    with open_store(str(tmp_path / "store")) as found:
        assert b"\0\1" == found["a"]


def test_missing_store_is_made_only_with_a_codec(tmp_path) -> None:
    """By the first change."""
    with pytest.raises(FileNotFoundError):
        open_store(str(tmp_path / "new"))
    with open_store(str(tmp_path / "new"), read_only=False, codec="text") as store:
        store["a"] = "text"

    assert "text" == codec_in(str(tmp_path / "new"))


def test_facts_can_be_imported() -> None:
    """Bytes are in base 64."""
    assert {"key": "a", "value": None} == facts("a", None)
    assert {"base64": "/wA="} == value_facts(b"\xff\0")


@pytest.mark.parametrize("is_checkpointed", [True, False])
def test_missing_identity_is_told(tmp_path, is_checkpointed) -> None:
    """With what to do, to who reads as well."""
    with Store(tmp_path / "store") as store:
        store["a"] = 1
        if is_checkpointed:
            store.checkpoint()
    (tmp_path / "store" / "journal").unlink()
    with pytest.raises(Failure, match=r"journal: is missing, .* `holdfast repair`") as caught:
        codec_in(str(tmp_path / "store"))
    assert 65 == caught.value.exit_code
