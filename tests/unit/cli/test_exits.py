"""Errors to exit codes and one line."""

from __future__ import annotations

import errno
import os

import pytest

from holdfast import errors
from holdfast.cli import exits
from holdfast.cli.exits import Failure, code_of, report
from holdfast.cli.parser import Namespace


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOENT, 66),
        (errno.EISDIR, 66),
        (errno.ENOTDIR, 66),
        (errno.ELOOP, 66),
        (errno.ENAMETOOLONG, 66),
        (errno.EROFS, 69),
        (errno.EBUSY, 69),
        (errno.EOPNOTSUPP, 69),
        (errno.ENOLCK, 69),
        (errno.EEXIST, 73),
        (errno.EIO, 74),
        (errno.ENOSPC, 74),
        (errno.EDQUOT, 74),
        (errno.EFBIG, 74),
        (errno.EMFILE, 74),
        (errno.EAGAIN, 75),
        (errno.EACCES, 77),
        (errno.EPERM, 77),
        (errno.EPIPE, 141),
    ],
)
def test_each_errno_has_its_code(number, code) -> None:
    """An error of the system ends with the code of its family."""
    assert code == code_of(OSError(number, os.strerror(number), "f"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.LockTimeout("m", path="l", waited_s=1.0), 75),
        (errors.Conflict("m", path="f"), 75),
        (errors.CommittedNotDurable("m", errno=errno.EIO, path="f"), 74),
        (errors.PromiseUnavailable("m", errno=errno.EBUSY, path="f"), 69),
        (errors.PartlyCommitted("m", committed=(), failed={}), 74),
        (errors.Corruption("m", path="f"), 65),
        (errors.DecodeError("m"), 65),
        (Failure("m", 1), 1),
        (MemoryError(), 74),
        (LookupError("m"), 70),
    ],
)
def test_each_error_has_its_code(error, code) -> None:
    """An error of holdfast ends with the code that its class names, a bug with 70."""
    assert code == code_of(error)


def test_every_code_has_a_meaning() -> None:
    """Each code that the map can give stands in the table of meanings."""
    codes = {error.exit_code for error in vars(errors).values() if hasattr(error, "exit_code")}
    codes |= {value for name, value in vars(exits).items() if name.isupper() and type(value) is int}

    assert [] == sorted(codes - set(exits.MEANINGS))


def test_json_error_has_stable_fields(capsys) -> None:
    """With --json the error is a document on standard output, besides the line."""
    import json

    args = Namespace(as_json=True)

    code = report("get", FileNotFoundError(errno.ENOENT, "No such file", "f"), args)

    out, err = capsys.readouterr()
    facts = {"code": 66, "errno": "ENOENT", "path": "f", "message": "f: No such file"}
    assert 66 == code
    assert {"error": facts} == json.loads(out)
    assert "holdfast get: f: No such file\n" == err


def test_quiet_hides_only_a_no(capsys) -> None:
    """`-q` says nothing for the answer no, and hides no error."""
    args = Namespace(quiet=True)

    report("get", Failure("no", 1), args)
    report("get", Failure("broken", 65), args)

    assert "holdfast get: broken\n" == capsys.readouterr().err


def test_busy_code_can_be_chosen(capsys) -> None:
    """`-E N` is the code for a busy lock, and for nothing else."""
    args = Namespace(busy_code=9)
    busy = errors.LockTimeout("m", path="l", waited_s=0.0)

    assert 9 == report("set", busy, args)
    assert 66 == report("set", FileNotFoundError(errno.ENOENT, "m", "f"), args)
    assert 2 == len(capsys.readouterr().err.splitlines())
