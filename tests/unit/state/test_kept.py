"""Old versions of a document: kept, listed, restored, removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast import DecodeError, Document


def test_old_versions_are_kept_and_restored(json: Path) -> None:
    """`keep=2` leaves the last two replaced versions, with their bytes, and `restore` brings one back."""
    texts = [json.read_text()]
    document = Document(json, keep=2)
    for number in (2, 3, 4):
        document.update(lambda state, number=number: state.update(n=number))
        texts.append(json.read_text())

    assert [(2, texts[1]), (3, texts[2])] == [
        (v.number, v.path.read_text()) for v in document.versions()
    ]
    assert 2 == document.restore(2)["n"]
    assert texts[1] == json.read_text()
    assert [3, 4] == [version.number for version in document.versions()]
    assert texts[3] == document.versions()[-1].path.read_text()


def test_restore_of_what_is_not_kept_is_an_error(json: Path) -> None:
    """A number that is not kept is FileNotFoundError naming those that are; the file stays."""
    document = Document(json, keep=1)
    document.update(lambda state: state.update(n=2))

    with pytest.raises(FileNotFoundError) as caught:
        document.restore(7)

    assert "Versions kept: 1." in caught.value.__notes__[0]
    assert 2 == document.read()["n"]


def test_restore_of_damage_is_refused(json: Path) -> None:
    """An old version that does not decode is not restored."""
    document = Document(json, keep=1)
    document.update(lambda state: state.update(n=2))
    document.versions()[0].path.write_text("{")

    with pytest.raises(DecodeError):
        document.restore(1)

    assert 2 == document.read()["n"]


def test_names_like_old_versions_are_left_alone(json: Path) -> None:
    """Files that only look similar are neither listed nor removed."""
    strangers = [
        "state.json.~~",
        "state.json.~x~",
        "state.json.~01~",
        "other.json.~1~",
        "state.json.~1~.bak",
    ]
    for name in strangers:
        json.with_name(name).write_text("mine")
    document = Document(json, keep=1)
    for number in range(3):
        document.update(lambda state, number=number: state.update(n=number + 2))

    assert [3] == [version.number for version in document.versions()]
    assert all("mine" == json.with_name(name).read_text() for name in strangers)
