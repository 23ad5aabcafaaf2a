"""Drafts: what a commit merges, decides and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import holdfast
from holdfast import Conflict, DecodeError, Document, LockTimeout, UnknownFormat
from holdfast.formats.plain import MISSING
from holdfast.state.draft import Draft, MergeReport


@pytest.fixture
def draft(json: Path) -> Iterator[Draft[dict[str, Any]]]:
    """A draft with `n` changed to 2 and `mine` added; others changed `n` to 3, added `theirs`."""
    with Document(json) as document:
        made = document.checkout()
        made.value.update(n=2, mine=1)
        document.update(lambda state: state.update(n=3, theirs=1))
        yield made


@pytest.mark.parametrize(
    ("on_conflict", "expected"),
    [
        ("mine", 2),
        ("theirs", 3),
        (lambda _path, base, mine, theirs: base + 10 * mine + 100 * theirs, 321),
    ],
    ids=["mine", "theirs", "function"],
)
def test_conflict_is_decided(
    json: Path, draft: Draft[dict[str, Any]], on_conflict: Any, expected: int
) -> None:
    """A key that both changed is mine, theirs, or what a function says; all other changes stay."""
    draft.commit(on_conflict=on_conflict)

    assert {"n": expected, "mine": 1, "theirs": 1} == {
        key: value for key, value in Document(json).read().items() if key != "big"
    }
    assert draft.value == Document(json).read()


def test_conflict_may_be_decided_by_leaving_the_key_out(
    json: Path, draft: Draft[dict[str, Any]]
) -> None:
    """A function that returns MISSING removes the key."""
    report = draft.commit(on_conflict=lambda *_: MISSING)

    assert "n" not in Document(json).read()
    assert (("n",),) == report.conflicts


def test_conflict_may_be_raised(json: Path, draft: Draft[dict[str, Any]]) -> None:
    """With "raise" the file is untouched, the error names the keys, and the draft stays usable."""
    before = json.read_bytes()
    with pytest.raises(Conflict) as caught:
        draft.commit(on_conflict="raise")

    assert (("n",),) == caught.value.conflicts
    assert str(json) == caught.value.path
    assert before == json.read_bytes()
    assert 2 == draft.value["n"]
    assert draft.commit(on_conflict="mine").written


def test_raise_passes_when_others_changed_other_keys(json: Path) -> None:
    """Changes of different keys are no conflict."""
    draft = Document(json).checkout()
    draft.value["mine"] = 1
    Document(json).update(lambda state: state.update(n=3))

    assert () == draft.commit(on_conflict="raise").conflicts
    assert (3, 1) == (Document(json).read()["n"], Document(json).read()["mine"])


@pytest.mark.parametrize("on_conflict", ["ours", None, 3])
def test_senseless_policy_is_refused_at_once(json: Path, on_conflict: Any) -> None:
    """Any other policy is a ValueError, also where there is no conflict; nothing is written."""
    draft = Document(json).checkout()
    draft.value["n"] = 2

    with pytest.raises(ValueError, match="on_conflict"):
        draft.commit(on_conflict=on_conflict)

    assert 1 == Document(json).read()["n"]


def test_report_says_who_changed_what(json: Path, draft: Draft[dict[str, Any]]) -> None:
    """A report has the key paths of both sides, the conflicts and the new version."""
    report = draft.commit()

    expected = MergeReport(
        written=True,
        version=Document(json).snapshot().version,
        mine=(("n",), ("mine",)),
        theirs=(("n",), ("theirs",)),
        conflicts=(("n",),),
    )
    assert expected == report


def test_draft_without_a_change_writes_nothing(json: Path) -> None:
    """An unchanged draft leaves the inode, reports nothing, and sees what others did."""
    draft = Document(json).checkout()
    Document(json).update(lambda state: state.update(n=3))
    before = json.stat().st_ino
    report = draft.commit()

    assert (False, (), (("n",),), ()) == (
        report.written,
        report.mine,
        report.theirs,
        report.conflicts,
    )
    assert before == json.stat().st_ino
    assert 3 == draft.value["n"]


def test_draft_goes_on_after_a_commit(json: Path, draft: Draft[dict[str, Any]]) -> None:
    """A second commit is relative to the first: only what came after it is mine or theirs."""
    draft.commit()
    draft.value["n"] = 20
    Document(json).update(lambda state: state.update(later=1))
    report = draft.commit(on_conflict="raise")

    assert ((("n",),), (("later",),), ()) == (report.mine, report.theirs, report.conflicts)
    assert (20, 1) == (Document(json).read()["n"], Document(json).read()["later"])


def test_draft_of_a_missing_file_starts_from_the_default(tmp_path: Path) -> None:
    """A draft of nothing makes the file; who made it meanwhile is merged with."""
    path = tmp_path / "new.json"
    first, second = (Document(path, default={"n": 0}).checkout() for _ in range(2))
    first.value["a"] = 1
    second.value["b"] = 2

    assert not path.exists()
    assert first.commit().written
    assert () == second.commit(on_conflict="raise").conflicts
    assert {"n": 0, "a": 1, "b": 2} == Document(path).read()


@pytest.mark.parametrize(
    ("on_conflict", "expected"), [("mine", {"n": 2, "kept": 0}), ("theirs", {"kept": 0})]
)
def test_file_that_was_deleted_meanwhile_is_its_default(
    json: Path, on_conflict: Any, expected: dict[str, int]
) -> None:
    """A deletion meanwhile is a change by others, to the default; what I changed is decided."""
    draft = Document(json, default={"kept": 0}).checkout()
    draft.value["n"] = 2
    json.unlink()
    report = draft.commit(on_conflict=on_conflict)

    assert (("n",),) == report.conflicts
    assert expected == Document(json, default={"kept": 0}).read()
    assert report.written == json.exists() == (on_conflict == "mine")


def test_file_that_was_deleted_without_a_default_is_an_error(json: Path) -> None:
    """Without a default a deletion meanwhile is FileNotFoundError, and the draft stays."""
    draft = Document(json).checkout()
    draft.value["n"] = 2
    json.unlink()

    with pytest.raises(FileNotFoundError):
        draft.commit()

    assert not json.exists()
    assert 2 == draft.value["n"]
    json.write_text('{"n": 1}')
    draft.commit()
    assert {"n": 2} == Document(json).read()


def damage(path: Path) -> None:
    """Make it undecodable."""
    path.write_text("{")


def make_newer(path: Path) -> None:
    """Make it one of a newer program."""
    path.write_text('{"version": 9}')


@pytest.mark.parametrize(("spoil", "error"), [(damage, DecodeError), (make_newer, UnknownFormat)])
def test_what_cannot_be_merged_with_is_untouched(
    json: Path, spoil: Callable[[Path], None], error: type[Exception]
) -> None:
    """Damage and newer versions stay as they are, and so does the draft."""
    draft = Document(json, migrations={1: lambda value: None}).checkout()
    draft.value["n"] = 2
    spoil(json)
    before = json.read_bytes()

    with pytest.raises(error):
        draft.commit()

    assert before == json.read_bytes()
    assert 2 == draft.value["n"]


def test_commit_that_waits_in_vain_leaves_the_draft(json: Path) -> None:
    """A held lock is LockTimeout; the draft can be committed later."""
    draft = Document(json).checkout()
    draft.value["n"] = 2
    with holdfast.FileLock(f"{json}.lock"), pytest.raises(LockTimeout):
        draft.commit(timeout_s=0)

    assert draft.commit().written


@dataclass
class Counter:
    """Knows one field."""

    n: int = 0


def test_typed_draft_may_be_replaced_as_a_whole(json: Path) -> None:
    """A new value of the type is merged by field; what the type does not know stays."""
    draft = Document(json, Counter).checkout()
    Document(json).update(lambda state: state.update(other=1))
    draft.value = Counter(5)
    report = draft.commit(on_conflict="raise")

    assert (("n",),) == report.mine
    assert {"n": 5, "other": 1} == {
        key: value for key, value in Document(json).read().items() if key != "big"
    }
    assert Counter(5) == draft.value


def test_value_of_another_type_is_refused(json: Path) -> None:
    """A draft whose value became something else is a TypeError, and nothing is written."""
    draft = Document(json, Counter).checkout()
    draft.value = 3  # type: ignore[assignment]

    with pytest.raises(TypeError):
        draft.commit()

    assert 1 == Document(json).read()["n"]
