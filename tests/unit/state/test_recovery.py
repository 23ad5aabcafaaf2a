"""`quarantine` and `restore`: damaged documents, and those that were better before."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from holdfast import Document, UnknownFormat


@pytest.fixture
def json(tmp_path: Path) -> Path:
    """Where a document will be."""
    return tmp_path / "state.json"


def test_quarantine_never_takes_what_an_editor_just_saved(json: Path) -> None:
    """Good contents that come while the damaged ones are judged stay where they are."""
    spare = json.with_name("spare")
    for _ in range(40):
        json.write_text("{damage")
        spare.write_text('{"good": 1}')
        thread = threading.Thread(target=spare.replace, args=[json])
        thread.start()
        Document(json).quarantine()
        thread.join()

        assert json.exists()
        assert {"good": 1} == Document(json).read()


def test_restore_never_overwrites_what_a_newer_program_wrote_i4(json: Path) -> None:
    """`restore` refuses as every other writer does."""
    document = Document(json, keep=3, migrations={1: lambda d: None, 2: lambda d: None})
    json.write_text('{"version": 3, "c": 1}')
    document.update(lambda state: state.update(c=2))
    json.write_text('{"version": 99}')

    with pytest.raises(UnknownFormat):
        document.restore(1)

    assert '{"version": 99}' == json.read_text()
