"""The drop-in and the original: the same behaviour, and the faults that only the original has."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import atomicwrites as original
import pytest

from holdfast.compat import atomicwrites as ours
from holdfast.errors import PromiseUnavailable
from holdfast.primitives.sweep import sweep


@pytest.fixture(params=[original, ours], ids=["original", "ours"])
def package(request):
    """Each of the two."""
    return request.param


def test_public_names_are_those_of_the_original() -> None:
    """Who imports from one can import from the other, version included."""
    names = [
        "AtomicWriter",
        "atomic_write",
        "move_atomic",
        "replace_atomic",
        "__version__",
    ]

    assert [True] * 5 == [hasattr(original, name) and hasattr(ours, name) for name in names]
    assert original.__version__ == ours.__version__


class TestBoth:
    def test_file_appears_at_the_end_of_the_body(self, package, tmp_path) -> None:
        """The default mode is text; the temporary file is beside the target and has a name."""
        with package.atomic_write(str(tmp_path / "a")) as f:
            f.write("hoho")
            assert not (tmp_path / "a").exists()
            assert (str(tmp_path), True) == (
                os.path.dirname(f.name),
                os.path.exists(f.name),
            )

        assert "hoho" == (tmp_path / "a").read_text()
        assert ["a"] == os.listdir(tmp_path)

    def test_existing_file_is_reported_at_the_commit(self, package, tmp_path) -> None:
        """`overwrite` is off unless asked for, and the body runs first."""
        (tmp_path / "a").write_text("old")
        ran = False
        with pytest.raises(FileExistsError), package.atomic_write(tmp_path / "a") as f:
            f.write("new")
            ran = True

        assert ran
        assert "old" == (tmp_path / "a").read_text()
        assert ["a"] == os.listdir(tmp_path)

    @pytest.mark.parametrize("mode", ["w", "wb", "wt", "w+", "wb+"])
    def test_modes_for_writing(self, package, tmp_path, mode) -> None:
        """Text and binary, and with `+` what was written can be read back."""
        content = b"new" if "b" in mode else "new"
        with package.atomic_write(tmp_path / "a", mode=mode, overwrite=True) as f:
            f.write(content)
            if "+" in mode:
                f.seek(0)
                assert content == f.read()
            assert f.mode.replace("t", "").strip("+") in mode.replace("t", "") or f.mode == "rb+"

        assert b"new" == (tmp_path / "a").read_bytes()

    @pytest.mark.parametrize("mode", ["a", "x", "r", "ab", "wx", "rb"])
    def test_other_modes_are_refused(self, package, mode) -> None:
        """ValueError when it is made."""
        with pytest.raises(ValueError):
            package.AtomicWriter("a", mode=mode)

    def test_options_of_the_file(self, package, tmp_path) -> None:
        """Encoding, newline, errors and buffering are passed on."""
        options = {
            "encoding": "latin-1",
            "newline": "\r\n",
            "errors": "replace",
            "buffering": 1,
        }
        with package.atomic_write(tmp_path / "a", overwrite=True, **options) as f:
            f.write("é\n日")

        assert b"\xe9\r\n?" == (tmp_path / "a").read_bytes()

    def test_unbuffered_binary(self, package, tmp_path) -> None:
        """`buffering=0` is for binary alone."""
        with package.atomic_write(tmp_path / "a", mode="wb", buffering=0) as f:
            assert 3 == f.write(b"new")
        with (
            pytest.raises(ValueError, match="unbuffered"),
            package.atomic_write(tmp_path / "b", buffering=0),
        ):
            pass

        assert b"new" == (tmp_path / "a").read_bytes()

    @pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
    def test_exception_in_the_body_leaves_the_old_contents(self, package, tmp_path, error) -> None:
        """And no temporary file; the exception goes on."""
        (tmp_path / "a").write_text("old")
        with (
            pytest.raises(error),
            package.atomic_write(tmp_path / "a", overwrite=True) as f,
        ):
            f.write("new")
            raise error

        assert "old" == (tmp_path / "a").read_text()
        assert ["a"] == os.listdir(tmp_path)

    def test_symlink_is_replaced(self, package, tmp_path) -> None:
        """It is not followed."""
        (tmp_path / "target").write_text("old")
        (tmp_path / "link").symlink_to("target")
        with package.atomic_write(tmp_path / "link", overwrite=True) as f:
            f.write("new")

        assert ("old", "new") == (
            (tmp_path / "target").read_text(),
            (tmp_path / "link").read_text(),
        )
        assert not (tmp_path / "link").is_symlink()

    def test_missing_folder_is_an_error(self, package, tmp_path) -> None:
        """It is not made."""
        with (
            pytest.raises(FileNotFoundError),
            package.atomic_write(tmp_path / "x" / "a"),
        ):
            pass

        assert [] == os.listdir(tmp_path)

    def test_steps_may_be_overridden(self, package, tmp_path) -> None:
        """They are called in the order get_fileobject, sync, commit; or rollback."""
        calls = []

        class Writer(package.AtomicWriter):
            def get_fileobject(self, **kwargs):
                calls.append("get_fileobject")
                return super().get_fileobject(**kwargs)

            def sync(self, f):
                calls.append("sync")
                super().sync(f)

            def commit(self, f):
                calls.append("commit")
                super().commit(f)

            def rollback(self, f):
                calls.append("rollback")
                super().rollback(f)

        with package.atomic_write(tmp_path / "a", writer_cls=Writer) as f:
            f.write("new")
        assert ["get_fileobject", "sync", "commit"] == calls
        with (
            pytest.raises(FileExistsError),
            package.atomic_write(tmp_path / "a", Writer),
        ):
            calls.clear()
        assert ["sync", "commit", "rollback"] == calls

        assert ["a"] == os.listdir(tmp_path)

    def test_sync_may_be_left_out(self, package, tmp_path) -> None:
        """A class that overrides `sync` to do nothing still commits."""

        class Writer(package.AtomicWriter):
            def sync(self, f):
                pass

        with package.atomic_write(tmp_path / "a", writer_cls=Writer, overwrite=True) as f:
            f.write("new")

        assert "new" == (tmp_path / "a").read_text()

    def test_file_of_the_callers_own_may_be_used(self, package, tmp_path) -> None:
        """`get_fileobject` may return any open file that has a name."""

        class Writer(package.AtomicWriter):
            def get_fileobject(self, **kwargs):
                return (tmp_path / "own").open("w")

        for overwrite in (False, True):
            with package.atomic_write(tmp_path / "a", Writer, overwrite=overwrite) as f:
                f.write("new")
        with pytest.raises(LookupError), package.atomic_write(tmp_path / "a", Writer):
            raise LookupError

        assert "new" == (tmp_path / "a").read_text()
        assert ["a"] == os.listdir(tmp_path)

    def test_place_and_name_of_the_temporary_file(self, package, tmp_path) -> None:
        """`dir`, `prefix` and `suffix` of `get_fileobject` decide."""
        (tmp_path / "elsewhere").mkdir()

        class Writer(package.AtomicWriter):
            def get_fileobject(self, **kwargs):
                where = str(tmp_path / "elsewhere")
                return super().get_fileobject(suffix=".s", prefix="p", dir=where, **kwargs)

        for overwrite in (True, False):
            (tmp_path / "a").unlink(missing_ok=True)
            with package.atomic_write(tmp_path / "a", Writer, overwrite=overwrite) as f:
                f.write("new")
                name = Path(f.name).name
                assert ("p", ".s") == (name[:1], name[-2:])
                assert [name] == os.listdir(tmp_path / "elsewhere")
        with (
            pytest.raises(FileExistsError),
            package.atomic_write(tmp_path / "a", Writer),
        ):
            pass

        assert "new" == (tmp_path / "a").read_text()
        assert [] == os.listdir(tmp_path / "elsewhere")

    def test_replace_atomic_renames_over(self, package, tmp_path) -> None:
        """What was there is gone; relative and absolute, in one folder or two."""
        (tmp_path / "x").mkdir()
        for place in (tmp_path / "b", tmp_path / "x" / "b"):
            (tmp_path / "a").write_text("new")
            place.write_text("old")
            package.replace_atomic(str(tmp_path / "a"), str(place))
            assert ("new", False) == (place.read_text(), (tmp_path / "a").exists())

    def test_move_atomic_takes_a_free_name_only(self, package, tmp_path) -> None:
        """FileExistsError otherwise, and both are as they were."""
        (tmp_path / "x").mkdir()
        for place in (tmp_path / "b", tmp_path / "x" / "b"):
            (tmp_path / "a").write_text("new")
            package.move_atomic(str(tmp_path / "a"), str(place))
            assert ("new", False) == (place.read_text(), (tmp_path / "a").exists())
        (tmp_path / "a").write_text("other")
        with pytest.raises(FileExistsError):
            package.move_atomic(str(tmp_path / "a"), str(tmp_path / "b"))

        assert ["other", "new"] == [(tmp_path / n).read_text() for n in "ab"]


class TestMended:
    @pytest.fixture(params=[pytest.param(original, id="original"), pytest.param(ours, id="ours")])
    def mended(self, request):
        """The package, and whether it is the one without the fault."""
        return request.param, request.param is ours

    def test_new_file_gets_what_the_umask_gives(self, mended, tmp_path) -> None:
        """The original gives 0600, whatever the umask."""
        package, is_mended = mended
        with package.atomic_write(tmp_path / "a"):
            pass
        (tmp_path / "plain").touch()

        wanted = stat.S_IMODE((tmp_path / "plain").stat().st_mode) if is_mended else 0o600
        assert wanted == stat.S_IMODE((tmp_path / "a").stat().st_mode)

    def test_replaced_file_keeps_its_mode(self, mended, tmp_path) -> None:
        """The original makes it 0600."""
        package, is_mended = mended
        (tmp_path / "a").touch()
        (tmp_path / "a").chmod(0o640)
        with package.atomic_write(tmp_path / "a", overwrite=True):
            pass

        assert (0o640 if is_mended else 0o600) == stat.S_IMODE((tmp_path / "a").stat().st_mode)

    def test_chdir_in_the_body_changes_nothing(self, mended, tmp_path) -> None:
        """The original puts the file into the new current folder."""
        package, is_mended = mended
        (tmp_path / "elsewhere").mkdir()
        before = os.getcwd()
        os.chdir(tmp_path)
        try:
            with package.atomic_write("a"):
                os.chdir("elsewhere")
        finally:
            os.chdir(before)

        assert is_mended == (tmp_path / "a").exists() != (tmp_path / "elsewhere" / "a").exists()

    def test_fifo_is_refused(self, mended, tmp_path) -> None:
        """The original replaces it."""
        package, is_mended = mended
        os.mkfifo(tmp_path / "a")
        try:
            with package.atomic_write(tmp_path / "a", overwrite=True):
                pass
        except PromiseUnavailable:
            assert is_mended

        assert is_mended == stat.S_ISFIFO((tmp_path / "a").stat().st_mode)
        assert ["a"] == os.listdir(tmp_path)

    def test_leftover_of_a_killed_writer_is_swept(self, mended, tmp_path) -> None:
        """The original's stays for ever; that of a living writer stays as long as it lives."""
        package, is_mended = mended
        pid = os.fork()
        if pid == 0:
            killed = package.atomic_write(tmp_path / "a")
            killed.__enter__()
            os._exit(0)
        os.waitpid(pid, 0)
        with package.atomic_write(tmp_path / "b"):
            assert is_mended == (1 == len(sweep(tmp_path)))

        assert (["b"] if is_mended else 2) == (
            os.listdir(tmp_path) if is_mended else len(os.listdir(tmp_path))
        )


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="no extended attributes here")
def test_each_file_keeps_its_own_attributes(tmp_path) -> None:
    """The second file that a program replaces does not get what the first one had."""
    for name in "ab":
        (tmp_path / name).touch()
        os.setxattr(tmp_path / name, "user.of", name.encode())
        with ours.atomic_write(tmp_path / name, overwrite=True) as file:
            file.write("new")

    assert [b"a", b"b"] == [os.getxattr(tmp_path / name, "user.of") for name in "ab"]
