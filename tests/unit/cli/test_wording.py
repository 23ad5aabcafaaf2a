"""Errors in the words of a shell."""

from __future__ import annotations

import errno
import os

import pytest

from holdfast import errors
from holdfast.cli.wording import describe, path_of


def test_line_has_path_reason_and_notes() -> None:
    """An error of the system reads: path, reason, and what its notes say of the disk."""
    error = OSError(errno.ENOSPC, "No space left on device", "state.json")
    error.add_note("The old contents are intact.\nFree some space.")

    line = "state.json: No space left on device. The old contents are intact. Free some space."
    assert line == describe(error)


def test_line_cannot_steer_the_terminal() -> None:
    """Control characters and lone surrogates of a file's name are written as escapes."""
    error = FileNotFoundError(errno.ENOENT, "No such file", "a\x1b[31m\udcff")

    assert r"a\x1b[31m\udcff: No such file" == describe(error)


def test_busy_lock_names_its_holder() -> None:
    """A lock that was not free says who has it."""
    error = errors.LockTimeout("m", path="l", waited_s=2.0, holder="pid 7 (x) on h")

    assert "l: held by pid 7 (x) on h, waited 2 s. Nothing was changed." == describe(error)


def refused(name, number=errno.EACCES) -> OSError:
    """The error of a system call that was given a name in an open folder."""
    return OSError(number, os.strerror(number), name)


@pytest.mark.parametrize(
    ("name", "given", "shown"),
    [
        ("x.json.lock", "ro/x.json", "ro/x.json.lock: Permission denied"),
        ("x.json", "ro/x.json", "ro/x.json: Permission denied"),
        ("x.json", "x.json", "x.json: Permission denied"),
        ("/abs/x.json", "x.json", "/abs/x.json: Permission denied"),
        ("sub", "ro/sub/x.json", "ro/sub: Permission denied"),
        ("sub", "/sub/x.json", "/sub: Permission denied"),
        ("ro", "some/ro/", "some/ro: Permission denied"),
        ("some/ro/", "some/ro/", "some/ro: Permission denied"),
        ("f", "some/ro/", "some/ro/f: Permission denied"),
        (None, "x.json", "x.json: Permission denied"),
        (None, "", "Permission denied"),
        ("standard output", "x.json", "standard output: Permission denied"),
        (".f.0123456789abcdef.holdfast-tmp", "ro/f", "ro/f: Permission denied in its folder"),
        (".f.0123456789abcdef.holdfast-tmp", "ro/", "ro: Permission denied"),
    ],
)
def test_path_is_the_one_that_was_given(name, given, shown) -> None:
    """The target comes first, by the name that the user gave it."""
    assert shown == describe(refused(name), given)
    assert shown.rpartition(":")[0] == (path_of(refused(name), given) or "")


def test_target_of_a_symlink_is_named_in_its_own_folder(tmp_path) -> None:
    """What is beside the file that a symlink leads to is not named beside the symlink."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link.json").symlink_to("real/x.json")

    line = describe(refused("x.json.lock"), f"{tmp_path}/link.json")

    assert f"{tmp_path}/real/x.json.lock: Permission denied" == line


def test_path_is_said_once() -> None:
    """A note that begins with the path goes on without it; a full disk is not its folder's."""
    error = refused(".f.0123456789abcdef.holdfast-tmp", errno.ENOSPC)
    error.add_note(f"{os.path.abspath('d/f')}: not written. The old contents stand.")

    line = "d/f: No space left on device. Not written. The old contents stand."
    assert line == describe(error, "d/f")


def test_absolute_path_is_shown_as_it_was_given() -> None:
    """A message with the absolute path shows the relative one that was given, and no other."""
    whole = os.path.abspath("f")
    error = errors.Conflict(f"{whole}: changed ({whole}.lock, {whole}2, /x{whole}).", path=whole)

    assert f"f: changed (f.lock, {whole}2, /x{whole})." == describe(error, "f")
    assert "f" == path_of(error, "f")
    assert whole == path_of(error, whole)


def test_file_in_the_folder_that_was_given_is_shown_by_that_name() -> None:
    """Without a second slash, where the folder was given with one."""
    whole = os.path.abspath("f")
    error = errors.Corruption(f"{whole}/1.segment: damaged ({whole}/..).", path=f"{whole}/1")

    assert "f/1.segment: damaged (f/..)." == describe(error, "f/")
    assert "f/1" == path_of(error, "f/")


def test_words_for_programs_are_left_out() -> None:
    """What a program could pass or call is no advice at a shell."""
    error = refused("f", errno.ENOENT)
    error.add_note("Nothing is on disk. Pass default= to start from a value.")
    error.add_note("Nothing was written. Open it with read_only=True to read it.")
    error.add_note("t: could not be removed. It is swept by holdfast.sweep().")

    assert describe(error).endswith(
        "Nothing is on disk. Nothing was written. "
        "t: could not be removed. It is swept by `holdfast sweep`."
    )


def test_short_wait_is_told_shortly() -> None:
    """A lock that was not waited for was waited for 0 s."""
    error = errors.LockTimeout("m", path="l", waited_s=0.0000421, holder="pid 7")

    assert "l: held by pid 7, waited 0 s. Nothing was changed." == describe(error)
