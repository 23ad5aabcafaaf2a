"""A journal as it lies in its folder; the findings are tested with `check_journal`."""

from __future__ import annotations

import pytest

from holdfast.errors import BadFrame
from holdfast.formats.journal_format import IDENTITY_BYTES, INCOMPLETE, decode_identity
from holdfast.state.journal_survey import decode_body, survey_journal
from holdfast.vfs.fault import Fault, Faulty
from tests.support.journal_files import flipped, journal_files, placed, store_files


def test_whole_checkpoints_are_in_order() -> None:
    """The newest is the first; nothing is ill."""
    standing = survey_journal(placed(journal_files()).folder("/j"))

    assert ["checkpoint-b", "checkpoint-a"] == [found.name for found in standing.whole]
    assert ((), None, False) == (standing.ill, standing.ill_identity, standing.is_incomplete)
    assert standing.newest is standing.whole[0]


def test_checkpoints_are_read_without_the_identity() -> None:
    """By the id that the newest of them states."""
    files = journal_files()
    del files["j/journal"]
    standing = survey_journal(placed(files).folder("/j"))

    assert ["checkpoint-b", "checkpoint-a"] == [found.name for found in standing.whole]
    assert standing.ill_identity is not None
    assert "is missing" in standing.ill_identity.why


def test_checkpoint_that_does_not_decode_is_ill() -> None:
    """Of a store: its checksum may fit, and it may be none of a store."""
    files = store_files(a=1) | {
        name: data for name, data in journal_files().items() if name.endswith("checkpoint-b")
    }
    files["j/journal"] = store_files(a=1)["j/journal"]
    standing = survey_journal(placed(files).folder("/j"))

    assert ["checkpoint-b"] == [ill.name for ill in standing.ill]
    assert ["checkpoint-a"] == [found.name for found in standing.whole]
    with pytest.raises(BadFrame):
        list(decode_body(iter([b"no block of a store"]), where="here"))


def test_checkpoint_that_the_disk_cannot_read_is_ill() -> None:
    """The others are read all the same."""
    vfs = placed(journal_files())
    reads = Faulty(vfs, Fault("read", 1, effect="EIO", on="*checkpoint-a"))
    standing = survey_journal(reads.folder("/j"))

    assert 1 == len(standing.ill)
    assert "cannot be read" in standing.ill[0].why
    assert standing.ill[0].offset is None
    assert 1 == len(standing.whole)


def test_word_of_a_repair_is_no_identity() -> None:
    """Every reader refuses it, and it can be read by people."""
    assert IDENTITY_BYTES == len(INCOMPLETE)
    with pytest.raises(BadFrame):
        decode_identity(INCOMPLETE, path="j")
    assert survey_journal(placed({"j/journal": INCOMPLETE}).folder("/j")).is_incomplete
    files = journal_files()
    files["j/journal"] = flipped(files["j/journal"], 9)
    assert not survey_journal(placed(files).folder("/j")).is_incomplete
