"""Reading a line log while it is rotated, cut and appended to."""

from __future__ import annotations

from contextlib import closing

import pytest

from holdfast.errors import DecodeError
from holdfast.primitives import line_log_reading
from holdfast.primitives.line_log_reading import Reader
from holdfast.primitives.line_log_records import whole_text
from holdfast.vfs.memory import MemoryVFS


class Bench:
    """A log in memory, and a reader of it."""

    def __init__(self) -> None:
        self.vfs = MemoryVFS()
        self.reader = Reader("/a", is_whole=whole_text("utf-8"), vfs=self.vfs)

    def write(self, name: str, data: bytes) -> None:
        with (
            closing(self.vfs.folder("/")) as folder,
            closing(folder.open(name, "create")) as file,
        ):
            file.seek(0, 2)
            file.write(data)

    def move(self, *pairs: tuple[str, str]) -> None:
        with closing(self.vfs.folder("/")) as folder:
            for old, new in pairs:
                folder.rename(old, new)

    def remove(self, name: str) -> None:
        with closing(self.vfs.folder("/")) as folder:
            folder.unlink(name)

    def cut(self, name: str) -> None:
        with closing(self.vfs.folder("/")) as folder, closing(folder.open(name, "write")) as file:
            file.truncate(0)

    def read(self) -> list[str]:
        return [record.text for record in self.reader.lines()]


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.reader.close()
    assert [] == made.vfs.leftovers()


def test_files_are_read_oldest_first(bench: Bench) -> None:
    """Lines are counted in each file, and named by it."""
    for name, data in (("a.2", b"1\n2\n"), ("a.1", b"3\n"), ("a", b"4\n")):
        bench.write(name, data)
    found = [(record.text, record.line, record.path) for record in bench.reader.lines()]

    assert [("1", 1, "/a.2"), ("2", 2, "/a.2"), ("3", 1, "/a.1"), ("4", 1, "/a")] == found


def test_line_is_given_when_it_has_its_newline(bench: Bench) -> None:
    """I1: half of one may be in the midst of being written."""
    bench.write("a", b"one\nha")
    assert ["one"] == bench.read()
    assert 2 == bench.reader.rest_bytes
    bench.write("a", b"lf\n")

    assert ["half"] == bench.read()


def test_end_of_a_file_that_was_rotated_is_given_if_it_is_a_record(bench: Bench) -> None:
    """I1: nobody appends to it any more; zeros are none."""
    bench.write("a.2", b"one\nend")
    bench.write("a.1", b"two\nen\0")
    bench.write("a", b"three\n")

    assert ["one", "end", "two", "three"] == bench.read()


def test_rotation_meanwhile_loses_and_doubles_nothing(bench: Bench) -> None:
    """I2: what came between the last look and the rotation is read before the next file."""
    bench.write("a", b"1\n")
    assert ["1"] == bench.read()
    bench.write("a", b"2\n")
    bench.move(("a", "a.1"))
    bench.write("a", b"3\n")
    bench.move(("a.1", "a.2"), ("a", "a.1"))
    bench.write("a", b"4\n")

    assert ["2", "3", "4"] == bench.read()


def test_rotation_in_the_midst_of_a_file_is_followed(bench: Bench) -> None:
    """The file that is open is read on, whatever it is called."""
    bench.write("a", b"1\n2\n")
    lines = bench.reader.lines()
    assert "1" == next(lines).text
    bench.move(("a", "a.1"))
    bench.write("a", b"3\n")

    assert ["2", "3"] == [record.text for record in lines]


def test_file_that_was_dropped_while_it_was_read_is_read_to_its_end(bench: Bench) -> None:
    """Then comes the oldest that is left."""
    bench.write("a.1", b"1\n2\n")
    bench.write("a", b"3\n")
    lines = bench.reader.lines()
    assert "1" == next(lines).text
    bench.move(("a", "a.1"))
    bench.write("a", b"4\n")

    assert ["2", "3", "4"] == [record.text for record in lines]


def test_old_files_are_not_read_again_when_the_log_is_removed(bench: Bench) -> None:
    """Somebody removes it by hand; only what is new is given."""
    bench.write("a.1", b"1\n")
    bench.write("a", b"2\n")
    assert ["1", "2"] == bench.read()
    bench.remove("a")
    assert [] == bench.read()
    bench.write("a", b"3\n")

    assert ["3"] == bench.read()


@pytest.mark.parametrize("after", [b"", b"2\n", b"2\n3 and more than there was\n"])
def test_log_that_was_cut_is_read_from_its_beginning(bench: Bench, after: bytes) -> None:
    """I4: shorter, of the same length, or longer than before."""
    bench.write("a", b"1\n")
    assert ["1"] == bench.read()
    bench.cut("a")
    bench.write("a", after)

    assert after.decode().splitlines() == bench.read()


def test_copy_of_what_was_cut_is_read_to_its_end(bench: Bench) -> None:
    """Copy and truncate: what had not been read is in the copy."""
    bench.write("a", b"1\n")
    assert ["1"] == bench.read()
    bench.write("a.1", b"1\n2\n")
    bench.cut("a")
    bench.write("a", b"3\n")

    assert ["2", "3"] == bench.read()


def test_other_file_is_not_taken_for_the_copy(bench: Bench) -> None:
    """It must have what was read at the same place."""
    bench.write("a.1", b"0\n2\n")
    bench.write("a", b"1\n")
    assert ["0", "2", "1"] == bench.read()
    bench.cut("a")
    bench.write("a", b"3\n")

    assert ["3"] == bench.read()


def test_long_lines_and_empty_ones_are_read(bench: Bench) -> None:
    """Across pieces, and at their borders."""
    lines = ["x" * 200_000, "", "y" * (1 << 16), "z" * ((1 << 16) - 1), ""]
    bench.write("a", "".join(f"{line}\n" for line in lines).encode())

    assert lines == bench.read()


def test_line_beyond_the_limit_is_an_error_with_its_place(bench: Bench, monkeypatch) -> None:
    """I3: it is not read into memory; what came before was given."""
    monkeypatch.setattr(line_log_reading, "LINE_MAX_BYTES", 1000)
    bench.write("a", b"one\n" + b"x" * 100_000)
    lines = bench.reader.lines()
    assert "one" == next(lines).text
    with pytest.raises(DecodeError, match="line 2 has more than 1000 bytes") as caught:
        next(lines)

    assert ("/a", 2) == (caught.value.path, caught.value.line)


def test_everything_can_be_skipped(bench: Bench) -> None:
    """Only what comes afterwards is given."""
    bench.write("a.1", b"1\n")
    bench.write("a", b"2\n")
    bench.reader.skip()
    bench.write("a", b"3\n")

    assert ["3"] == bench.read()
