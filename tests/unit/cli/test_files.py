"""The files that verbs are given."""

from __future__ import annotations

import errno
import os

import pytest

from holdfast import FileLock
from holdfast.cli.exits import Failure
from holdfast.cli.files import (
    codec_of,
    decode,
    decode_as,
    holder_of,
    lock_path_of,
    missing,
    named_file,
    named_path,
    need_codec,
    open_register,
    open_to_read,
    read_input,
    tell_terminal,
    wrote,
)
from holdfast.errors import DecodeError


def test_dash_is_no_file() -> None:
    """`-` cannot be replaced; the message says how to name a file of that name."""
    with pytest.raises(Failure, match=r"\./-") as caught:
        named_file("-")

    assert 2 == caught.value.exit_code


def test_suffix_or_name_gives_the_codec() -> None:
    """The format is what is named, else what the suffix says, else nothing."""
    assert ["toml", "yaml", "json", None] == [
        codec and codec.name
        for codec in (
            codec_of("a.TOML"),
            codec_of("a.yml"),
            codec_of("a", "json"),
            codec_of("a"),
        )
    ]


def test_unknown_suffix_is_wrong_usage() -> None:
    """Where a format is needed and none is known, the message says how to name it."""
    with pytest.raises(Failure, match="--parse") as caught:
        need_codec("a.txt", None)

    assert 2 == caught.value.exit_code


def test_missing_file_is_missing(tmp_path) -> None:
    """A file that is not there is FileNotFoundError with its path, never an empty document."""
    path = str(tmp_path / "no.json")

    with pytest.raises(FileNotFoundError) as caught:
        decode(path)

    assert path == caught.value.filename == missing(path).filename


def test_place_of_an_error_is_named() -> None:
    """What does not parse is named with its path, line and column."""
    with pytest.raises(DecodeError, match=r"^x\.json:2:1: not readable as json") as caught:
        decode_as(need_codec("x.json", None), b'{"a":\n}', "x.json")

    assert ("x.json", 2) == (caught.value.path, caught.value.line)


def test_register_is_that_of_the_documents(state) -> None:
    """Bytes are read and locked through the same register as documents."""
    register = open_register(str(state))

    assert state.read_bytes() == register.read().data
    assert f"{state.resolve()}.lock" == register.lock.path


def test_only_a_regular_file_is_opened(tmp_path, state) -> None:
    """A regular file is opened, nothing is None; a folder and a FIFO are refused at once."""
    os.mkfifo(tmp_path / "fifo")

    file = open_to_read(str(state))

    assert file is not None
    assert state.read_bytes() == file.read(1000)
    file.close()
    assert open_to_read(str(tmp_path / "no")) is None
    for name in ("fifo", "."):
        with pytest.raises(Failure, match="not a regular file") as caught:
            open_to_read(str(tmp_path / name))
        assert 66 == caught.value.exit_code


def test_whole_path_is_named(tmp_path) -> None:
    """An error of the system names the path that was given, not the bare name."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)

    with pytest.raises(OSError) as caught:
        open_to_read(str(loop))

    assert (errno.ELOOP, str(loop)) == (caught.value.errno, caught.value.filename)


def test_closed_input_is_told(monkeypatch) -> None:
    """A closed standard input is an error, not an empty document."""
    monkeypatch.setattr("sys.stdin", None)

    with pytest.raises(Failure) as caught:
        read_input()

    assert 66 == caught.value.exit_code


def test_report_names_what_was_done(state) -> None:
    """The report has path, size, what was synced, how long it took, and the filesystem."""
    line = wrote(str(state), 1234, took_s=0.00041)

    assert line.startswith(f"wrote {state} 1.2 kB, synced file and folder in 0.41 ms (")
    assert "not synced in 2.0 s" in wrote(str(state), 1, took_s=2, sync=False)


def test_lock_of_a_document_is_the_library_s(state) -> None:
    """The lock is where documents have it, also of a symlink and of a name as long as can be."""
    link = state.with_name("link.json")
    link.symlink_to("state.json")
    long = state.with_name("x" * 250 + ".json")

    for path in (state, link, long):
        assert open_register(str(path)).lock.path == lock_path_of(str(path))


def test_holder_is_told_of_a_lock_that_is_held(state) -> None:
    """Who holds a lock is told; nobody for a free one, and an error for a missing file."""
    with FileLock(state) as lock:
        assert os.getpid() == getattr(holder_of(str(state)), "pid", 0)
    lock.close()
    assert holder_of(str(state)) is None
    with pytest.raises(FileNotFoundError):
        holder_of(f"{state}.no")


def test_slash_at_the_end_of_a_folder_is_not_shown(tmp_path) -> None:
    """That of a file is: it is an error; so is what is missing."""
    (tmp_path / "file").touch()

    assert str(tmp_path) == named_path(f"{tmp_path}//")
    assert "/" == named_path("/")
    for name in ("file/", "no/"):
        assert f"{tmp_path}/{name}" == named_path(f"{tmp_path}/{name}")
    with pytest.raises(Failure):
        named_path("")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_reading_from_a_terminal_is_told(capsys, monkeypatch, is_terminal) -> None:
    """Else it looks as if nothing happened; a pipe is read without a word."""
    ends = os.openpty() if is_terminal else os.pipe()
    try:
        with open(ends[is_terminal], closefd=False) as stdin:
            monkeypatch.setattr("sys.stdin", stdin)
            tell_terminal("store put", "the value")
    finally:
        for end in ends:
            os.close(end)
    said = "holdfast store put: reading the value from standard input; Ctrl-D"
    assert is_terminal is capsys.readouterr().err.startswith(said)
