"""Every exception: its facts, its kinds, its exit code, and that another process can be sent it."""

from __future__ import annotations

import copy
import errno
import pickle
from typing import Any

import pytest

from holdfast import errors
from holdfast.errors import (
    BadFrame,
    ChecksumMismatch,
    Closed,
    CommittedNotDurable,
    Conflict,
    Corruption,
    DecodeError,
    HandlePoisoned,
    HoldfastError,
    LockTimeout,
    PartlyCommitted,
    PromiseUnavailable,
    Truncated,
    UnknownFormat,
)

FAILED = OSError(errno.ENOSPC, "No space left on device", "b")

# error, its facts, what else it is, its exit code
CASES: list[tuple[HoldfastError, dict[str, Any], type[BaseException], int]] = [
    (HoldfastError("said"), {}, Exception, 70),
    (
        LockTimeout("said", path="a.lock", waited_s=1.5, holder=("pid", 7)),
        {
            "path": "a.lock",
            "waited_s": 1.5,
            "holder": ("pid", 7),
            "errno": errno.ETIMEDOUT,
            "filename": "a.lock",
            "strerror": "said",
        },
        TimeoutError,
        75,
    ),
    (
        Conflict("said", path="a", conflicts=(("k", 1), ("l",))),
        {"path": "a", "conflicts": (("k", 1), ("l",))},
        HoldfastError,
        75,
    ),
    (
        CommittedNotDurable("said", errno=errno.EIO, path="a"),
        {"path": "a", "errno": errno.EIO, "filename": "a", "strerror": "said"},
        OSError,
        74,
    ),
    (
        PromiseUnavailable("said", errno=errno.EISDIR, path="a"),
        {"path": "a", "errno": errno.EISDIR, "filename": "a", "strerror": "said"},
        OSError,
        69,
    ),
    (
        PartlyCommitted("said", committed=("a",), failed={"b": FAILED}),
        {"committed": ("a",)},
        HoldfastError,
        74,
    ),
    (HandlePoisoned("said", path="a", durable=7), {"path": "a", "durable": 7}, HoldfastError, 74),
    (
        Truncated("said", path="a", asked=3, first=5),
        {"path": "a", "asked": 3, "first": 5},
        HoldfastError,
        66,
    ),
    (
        ChecksumMismatch("said", path="a", offset=9, expected=1, found=2),
        {"path": "a", "offset": 9, "expected": 1, "found": 2},
        Corruption,
        65,
    ),
    (
        BadFrame("said", path="a", offset=512),
        {"path": "a", "offset": 512, "expected": None, "found": None},
        Corruption,
        65,
    ),
    (
        Corruption("said", path="a", offset=9, expected=b"x", found=b"y"),
        {"path": "a", "offset": 9, "expected": b"x", "found": b"y"},
        HoldfastError,
        65,
    ),
    (
        UnknownFormat("said", path="a", expected=2, found=9),
        {"path": "a", "offset": None, "expected": 2, "found": 9},
        Corruption,
        65,
    ),
    (
        DecodeError("said", path="a", line=1, column=2, key=("k", 0)),
        {"path": "a", "line": 1, "column": 2, "key": ("k", 0)},
        ValueError,
        65,
    ),
    (Closed("said"), {}, ValueError, 70),
]
EACH = pytest.mark.parametrize(
    ("error", "facts", "kind", "code"), CASES, ids=[type(case[0]).__name__ for case in CASES]
)


def test_every_exception_is_tried() -> None:
    """The cases are all that the module has."""
    assert set(errors.__all__) == {type(error).__name__ for error, *_ in CASES}


@EACH
def test_error_has_its_facts(
    error: HoldfastError, facts: dict[str, Any], kind: type[BaseException], code: int
) -> None:
    """Facts are attributes, the text is the message alone, the exit code is as documented."""
    assert facts == {name: getattr(error, name) for name in facts}
    assert isinstance(error, kind)
    assert isinstance(error, HoldfastError)
    assert ("said", "said") == (str(error), error.message)
    assert code == error.exit_code


@EACH
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_error_can_be_sent_to_another_process(
    error: HoldfastError,
    facts: dict[str, Any],
    kind: type[BaseException],
    code: int,
    protocol: int,
) -> None:
    """Pickled and back it is the same: type, facts, message, arguments and notes."""
    sent = copy.copy(error)
    sent.add_note("The file is untouched.")
    back: object = pickle.loads(pickle.dumps(sent, protocol))
    assert isinstance(back, HoldfastError)

    assert type(error) is type(back)
    assert facts == {name: getattr(back, name) for name in facts}
    assert (str(error), error.args) == (str(back), back.args)
    assert ["The file is untouched."] == back.__notes__
    assert not hasattr(error, "__notes__")
    assert isinstance(back, kind)
    assert code == back.exit_code


def test_failures_of_a_batch_are_sent_as_well() -> None:
    """The errors inside `PartlyCommitted` keep their errno and filename."""
    error = PartlyCommitted("said", committed=("a",), failed={"b": FAILED})
    back = pickle.loads(pickle.dumps(error))

    assert ["b"] == list(back.failed)
    assert (errno.ENOSPC, "b") == (back.failed["b"].errno, back.failed["b"].filename)


def test_first_error_of_a_handle_is_sent_as_well() -> None:
    """Who is told that a handle is of no use is told why, in another process too."""
    back = pickle.loads(pickle.dumps(HandlePoisoned("said", path="a", first=FAILED)))

    assert (errno.ENOSPC, "b") == (back.first.errno, back.first.filename)
    assert back.durable is None


def test_failures_of_a_batch_are_the_errors_own() -> None:
    """Changing the mapping that was passed does not change the error."""
    failed: dict[str, Exception] = {"b": FAILED}
    error = PartlyCommitted("said", committed=(), failed=failed)
    failed.clear()

    assert {"b": FAILED} == error.failed


@pytest.mark.parametrize(
    ("error", "caught_by"),
    [
        (LockTimeout("said", path="a", waited_s=0.0), (TimeoutError, OSError)),
        (DecodeError("said"), (ValueError,)),
        (Closed("said"), (ValueError,)),
        (UnknownFormat("said", path="a"), (Corruption,)),
        (ChecksumMismatch("said", path="a"), (Corruption,)),
        (BadFrame("said", path="a"), (Corruption,)),
    ],
)
def test_error_is_caught_as_the_standard_library_would_have_it(
    error: HoldfastError, caught_by: tuple[type[Exception], ...]
) -> None:
    """`except TimeoutError`, `except OSError` and `except ValueError` work."""
    for kind in caught_by:
        with pytest.raises(kind):
            raise error


@pytest.mark.parametrize("kind", [OSError, ValueError])
def test_conflict_is_neither_of_the_system_nor_of_the_caller(kind: type[Exception]) -> None:
    """`Conflict` must not be swallowed by handlers of failing disks or bad values."""
    assert not isinstance(Conflict("said", path="a"), kind)
