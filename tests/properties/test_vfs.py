"""The memory filesystem against the one of this machine: the same calls, the same results."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.vfs import SYSTEM, VFS, File, Folder
from holdfast.vfs.memory import MemoryVFS

NAMES = st.sampled_from(["a", "b", "c", "d"])
PLACES = st.sampled_from(["", "d", "a"])
FILES = st.integers(0, 2)
MODES = st.sampled_from(["read", "write", "create", "new"])
SIZES = st.integers(0, 9000)
STEPS = st.one_of(
    st.tuples(st.just("open"), FILES, PLACES, NAMES, MODES),
    st.tuples(st.just("write"), FILES, SIZES, st.none() | SIZES),
    st.tuples(st.just("read"), FILES, SIZES, st.none() | SIZES),
    st.tuples(st.just("seek"), FILES, st.integers(-10, 9000), st.integers(0, 2)),
    st.tuples(st.just("truncate"), FILES, SIZES),
    st.tuples(st.just("describe"), FILES),
    st.tuples(st.just("lock"), FILES, st.booleans()),
    st.tuples(st.just("unlock"), FILES),
    st.tuples(st.just("close"), FILES),
    st.tuples(st.just("duplicate"), FILES, FILES),
    st.tuples(st.just("link_open"), FILES, PLACES, NAMES),
    st.tuples(st.just("link"), PLACES, NAMES, NAMES),
    st.tuples(st.just("rename"), PLACES, NAMES, PLACES, NAMES),
    st.tuples(st.just("unlink"), PLACES, NAMES),
    st.tuples(st.just("mkdir"), PLACES, NAMES),
    st.tuples(st.just("rmdir"), PLACES, NAMES),
    st.tuples(st.just("symlink"), PLACES, NAMES, st.sampled_from(["a", "../b", "d/c", "c"])),
    st.tuples(st.just("resolve"), PLACES, NAMES),
    st.tuples(st.just("stat"), PLACES, NAMES),
)  # fmt: skip
# Which of several reasons is named first differs from filesystem to filesystem.
SAME = {errno.EISDIR: errno.EPERM, errno.ENOTEMPTY: errno.EEXIST}


class Machine:
    """Runs steps on one filesystem, and says what came of each."""

    def __init__(self, vfs: VFS, root: str) -> None:
        self.vfs = vfs
        self.root = root
        self.files: list[File | None] = [None, None, None]

    def step(self, name: str, *arguments) -> object:
        """The result of one step; of an error, its errno."""
        try:
            return getattr(self, name)(*arguments)
        except OSError as error:
            return "error", SAME.get(error.errno or 0, error.errno)

    def path(self, place: str, name: str = "") -> str:
        return "/".join(part for part in (self.root, place, name) if part)

    def in_folder(self, place: str, use) -> object:
        folder: Folder = self.vfs.folder(self.path(place))
        try:
            return use(folder)
        finally:
            folder.close()

    def open(self, slot: int, place: str, name: str, mode) -> None:
        file = self.in_folder(place, lambda folder: folder.open(name, mode))
        self.close(slot)
        self.files[slot] = file  # type: ignore[assignment]

    def close(self, slot: int) -> None:
        file, self.files[slot] = self.files[slot], None
        if file is not None:
            file.close()

    def on_file(self, slot: int, use) -> object:
        file = self.files[slot]
        return None if file is None else use(file)

    def write(self, slot: int, size: int, offset: int | None) -> object:
        data = bytes(n % 251 + 1 for n in range(size))
        return self.on_file(slot, lambda file: file.write(data, offset=offset))

    def read(self, slot: int, size: int, offset: int | None) -> object:
        return self.on_file(slot, lambda file: file.read(size, offset=offset))

    def seek(self, slot: int, offset: int, whence: int) -> object:
        def seek(file: File) -> object:
            return file.seek(offset, whence) if stat.S_ISREG(file.stat().st_mode) else None

        return self.on_file(slot, seek)

    def truncate(self, slot: int, size: int) -> object:
        return self.on_file(slot, lambda file: file.truncate(size))

    def describe(self, slot: int) -> object:
        return self.on_file(slot, lambda file: _seen(file.stat()))

    def lock(self, slot: int, shared: bool) -> object:
        return self.on_file(slot, lambda file: file.lock(shared=shared, block=False))

    def unlock(self, slot: int) -> object:
        return self.on_file(slot, lambda file: file.unlock())

    def duplicate(self, slot: int, to: int) -> None:
        if (file := self.files[slot]) is not None:
            copy = file.duplicate()
            self.close(to)
            self.files[to] = copy

    def link_open(self, slot: int, place: str, name: str) -> object:
        def link(file: File) -> object:
            return self.in_folder(place, lambda folder: folder.link(file, name))

        return self.on_file(slot, link)

    def link(self, place: str, name: str, to: str) -> object:
        return self.in_folder(place, lambda folder: folder.link(name, to))

    def rename(self, place: str, name: str, to_place: str, to: str) -> object:
        def rename(source: Folder) -> object:
            return self.in_folder(to_place, lambda folder: folder.rename(name, to, source=source))

        return self.in_folder(place, rename)

    def unlink(self, place: str, name: str) -> object:
        return self.in_folder(place, lambda folder: folder.unlink(name))

    def mkdir(self, place: str, name: str) -> object:
        return self.in_folder(place, lambda folder: folder.mkdir(name))

    def rmdir(self, place: str, name: str) -> object:
        return self.in_folder(place, lambda folder: folder.rmdir(name))

    def stat(self, place: str, name: str) -> object:
        return self.in_folder(place, lambda folder: _seen(folder.stat(name)))

    def symlink(self, place: str, name: str, target: str) -> object:
        def make(folder: Folder) -> None:
            folder.open(name, "new").close()  # takes the name, with the errors of the system
            folder.unlink(name)
            where = self.vfs.resolve(self.path(place))
            if isinstance(self.vfs, MemoryVFS):
                self.vfs.make_node(f"{where}/{name}", "symlink", target=target)
            else:
                os.symlink(target, f"{where}/{name}")

        return self.in_folder(place, make)

    def resolve(self, place: str, name: str) -> object:
        above = self.root.rpartition("/")[0]
        return self.vfs.resolve(self.path(place, name)).removeprefix(above)

    def tree(self, place: str = "") -> dict[str, object]:
        """All names below, and what they are."""
        found: dict[str, object] = {}
        folder = self.vfs.folder(self.path(place))
        for name in folder.names():
            info, path = folder.stat(name), f"{place}/{name}".strip("/")
            found[path] = _seen(info)
            if stat.S_ISDIR(info.st_mode):
                found |= self.tree(path)
            elif stat.S_ISREG(info.st_mode):
                file = folder.open(name, "read")
                found[path] = _seen(info), file.read(100_000)
                file.close()
        folder.close()
        return found

    def end(self) -> None:
        for slot in range(3):
            self.close(slot)


def _seen(info) -> tuple[object, ...]:
    """What both filesystems count the same way."""
    if stat.S_ISREG(info.st_mode):
        return stat.S_IMODE(info.st_mode), info.st_size, info.st_nlink
    return (stat.S_IFMT(info.st_mode),)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory):
    """A new folder of the system for each run."""
    top: Path = tmp_path_factory.mktemp("runs").resolve()
    return (top / str(number) for number in itertools.count())


@settings(max_examples=max(300, settings().max_examples))
@given(steps=st.lists(STEPS, max_size=25))
def test_memory_does_what_the_system_does(folders, steps) -> None:
    """Random calls give the same results, the same errors and the same tree."""
    root = next(folders) / "top"
    root.mkdir(parents=True)
    memory = MemoryVFS()
    memory.write_tree({"top": None})
    umask = os.umask(0o022)
    os.umask(umask)
    memory.core.umask = umask
    system, model = Machine(SYSTEM, str(root)), Machine(memory, "/top")
    try:
        for step in (("mkdir", "", "d"), *steps):
            assert system.step(*step) == model.step(*step), step
        assert system.tree() == model.tree()
        memory.settle()
        assert memory.tree() == memory.crash().tree()
    finally:
        system.end()
        model.end()
    assert [] == memory.leftovers()


@settings(max_examples=max(100, settings().max_examples))
@given(steps=st.lists(STEPS, max_size=20), seed=st.integers(0, 2**16))
def test_replaying_the_history_gives_the_tree(steps, seed) -> None:
    """If everything survives, the crash model arrives at what the filesystem shows."""
    memory = MemoryVFS()
    memory.write_tree({"top/d": None})
    model = Machine(memory, "/top")
    for step in steps:
        model.step(*step)
    model.end()
    survivors = next(iter(memory.crash_states(at=len(memory.core.operations))))
    assert memory.tree() == survivors.tree()
    crashed = memory.crash(seed=seed)
    again = next(iter(crashed.crash_states()))
    assert crashed.tree() == again.tree()
