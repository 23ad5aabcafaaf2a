"""A folder that holds one tree after another: exact, whatever was done to it in between."""

from __future__ import annotations

import mmap
import os
import stat
from random import Random

import pytest

from holdfast.crash.explorer.place import Place
from holdfast.crash.explorer.scratch import Scratch
from holdfast.crash.explorer.trees import paths_of
from holdfast.vfs.operations import ROOT, Kind, Node


def tree(**files: bytes):
    """Files at the top."""
    names = tuple((name, number) for number, name in enumerate(files, 2))
    nodes = {number: Node("file", data=files[name]) for name, number in names}
    return paths_of({ROOT: Node("folder", 0o755, entries=names), **nodes})


def look(folder: str, path: str = "") -> dict[str, tuple]:
    """What is really there."""
    full = os.path.join(folder, path) if path else folder
    found = os.lstat(full)
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISDIR(found.st_mode):
        inside = {path: ("folder", mode)}
        for name in os.listdir(full):
            inside |= look(folder, f"{path}/{name}" if path else name)
        return inside
    if stat.S_ISLNK(found.st_mode):
        return {path: ("symlink", os.readlink(full))}
    if stat.S_ISFIFO(found.st_mode):
        return {path: ("fifo", mode)}
    with open(full, "rb") as file:
        return {path: ("file", mode, file.read(), found.st_ino)}


def expected(paths) -> dict[str, tuple]:
    """What should be there, with the first path in place of the inode."""
    made = {}
    for path, (node, first) in paths.items():
        if node.kind == "file":
            made[path] = ("file", node.mode, node.data, first)
        else:
            target = os.fsdecode(node.data) if node.kind == "symlink" else node.mode
            made[path] = (node.kind, target)
    return made


def found(folder: str) -> dict[str, tuple]:
    """What is there, in the same form."""
    real, firsts = look(folder), {}
    for path in sorted(real, key=lambda path: (path.count("/"), path)):
        if real[path][0] == "file":
            first = firsts.setdefault(real[path][3], path)
            real[path] = (*real[path][:3], first)
    return real


@pytest.fixture
def place(tmp_path):
    (tmp_path / "own").mkdir()
    return Place(str(tmp_path / "own" / "state"))


@pytest.fixture
def memory_place():
    """One on the memory filesystem, where stores through a map leave no time stamp."""
    scratch = Scratch(0)
    yield Place(f"{scratch.folder}/state")
    scratch.close()


def test_every_kind_of_node_is_made(place) -> None:
    """Files, folders, symlinks, FIFOs, hard links, modes."""
    paths = paths_of({
        ROOT: Node("folder", 0o750, entries=(("a", 2), ("b", 2), ("d", 3), ("l", 4), ("p", 5))),
        2: Node("file", 0o640, data=b"twice"),
        3: Node("folder", 0o700, entries=(("empty", 6),)),
        4: Node("symlink", 0o777, data=b"/nowhere"),
        5: Node("fifo", 0o600),
        6: Node("file", 0o444),
    })  # fmt: skip

    place.put(paths)

    assert expected(paths) == found(place.folder)
    assert [] == place.notes


def test_what_does_not_differ_is_not_written_again(place) -> None:
    """The file that stays keeps its inode and its times."""
    place.put(tree(a=b"1", b=b"1"))
    before = os.stat(f"{place.folder}/a")
    place.put(tree(a=b"1", b=b"2"))
    after = os.stat(f"{place.folder}/a")

    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_file_that_differs_is_another_inode(place) -> None:
    """Who kept the old one open reads the old contents to the end (I3), with other times (I4)."""
    place.put(tree(a=b"old"))
    with open(f"{place.folder}/a", "rb") as file:
        old = os.fstat(file.fileno())
        place.put(tree(a=b"new"))
        new = os.stat(f"{place.folder}/a")

        assert b"old" == file.read()
    assert old.st_ino != new.st_ino
    assert old.st_mtime_ns != new.st_mtime_ns


DAMAGE = {
    "written": lambda d: open(f"{d}/a", "r+b").write(b"X"),
    "truncated": lambda d: os.truncate(f"{d}/a", 0),
    "removed": lambda d: os.unlink(f"{d}/a"),
    "replaced": lambda d: (open(f"{d}/n", "wb").write(b"aaaa"), os.rename(f"{d}/n", f"{d}/a")),
    "mode": lambda d: os.chmod(f"{d}/a", 0o600),
    "linked": lambda d: os.link(f"{d}/a", f"{d}/z"),
    "new file": lambda d: open(f"{d}/n", "wb").close(),
    "new folder": lambda d: os.makedirs(f"{d}/n/m"),
    "swapped": lambda d: (os.rename(f"{d}/a", f"{d}/t"), os.rename(f"{d}/b", f"{d}/a"),
                          os.rename(f"{d}/t", f"{d}/b")),
    "folder instead": lambda d: (os.unlink(f"{d}/a"), os.mkdir(f"{d}/a")),
    "folder mode": lambda d: os.chmod(d, 0o700),
    "all gone": lambda d: __import__("shutil").rmtree(d),
    "times": lambda d: os.utime(f"{d}/a"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("how", DAMAGE)
def test_what_a_check_changes_is_put_right(place, how) -> None:
    """I1: the same tree again is exact again, and a note says what was changed."""
    paths = tree(a=b"aaaa", b=b"bbbb")
    place.put(paths)
    DAMAGE[how](place.folder)
    place.put(paths)

    assert expected(paths) == found(place.folder)
    assert any("the check changes what it checks" in note for note in place.notes)


def test_reading_changes_nothing_and_is_not_noted(place) -> None:
    """A check that only looks leaves no note."""
    paths = tree(a=b"aaaa")
    for _ in range(3):
        place.put(paths)
        found(place.folder)

    assert [] == place.notes


def test_store_through_a_memory_map_is_noticed(memory_place) -> None:
    """No time of modification moves on a tmpfs: the contents are compared."""
    paths = tree(a=b"a" * 5000)
    for _ in range(3):
        memory_place.put(paths)
        with open(f"{memory_place.folder}/a", "r+b") as file, mmap.mmap(file.fileno(), 0) as map:
            map[4200] = ord("X")
    memory_place.put(paths)

    assert expected(paths) == found(memory_place.folder)
    assert memory_place.notes


def test_folder_that_became_a_symlink_is_not_followed(place, tmp_path) -> None:
    """I2: what lies outside is not touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_bytes(b"mine")
    paths = paths_of({
        ROOT: Node("folder", 0o755, entries=(("d", 2),)),
        2: Node("folder", 0o755, entries=(("x", 3),)),
        3: Node("file", data=b"theirs"),
    })  # fmt: skip
    place.put(paths)
    os.rename(f"{place.folder}/d", tmp_path / "own" / "gone")
    os.symlink(outside, f"{place.folder}/d")
    place.put(paths)

    assert expected(paths) == found(place.folder)
    assert b"mine" == (outside / "x").read_bytes()
    assert any("../gone" in note for note in place.notes)
    assert ["state"] == os.listdir(tmp_path / "own")


def random_tree(random: Random):
    """A few files with links, folders and symlinks."""
    nodes: dict[int, Node] = {}
    folders: dict[int, dict[str, int]] = {ROOT: {}}
    for number in range(2, random.randrange(3, 9)):
        above = random.choice([*folders])
        kinds: list[Kind] = ["file", "file", "folder", "symlink"]
        kind = random.choice(kinds)
        folders[above][random.choice("abcde")] = number
        if kind == "folder":
            folders[number] = {}
        else:
            data = random.choice([b"", b"x", b"y" * 3000])
            nodes[number] = Node(kind, random.choice([0o600, 0o644]), data=data or b"-")
    files = [number for number, node in nodes.items() if node.kind == "file"]
    for _ in range(random.randrange(3)):
        if files:
            folders[random.choice([*folders])].setdefault("link", random.choice(files))
    for number, names in folders.items():
        nodes[number] = Node("folder", 0o755, entries=tuple(sorted(names.items())))
    return paths_of(nodes)


def damage(random: Random, folder: str) -> None:
    """Do something to something."""
    paths = [path for path in look(folder) if path]
    if not paths:
        return
    full = os.path.join(folder, random.choice(paths))
    action = random.randrange(4)
    if action == 0 and os.path.isfile(full) and not os.path.islink(full):
        with open(full, "ab") as file:
            file.write(b"more")
    elif action == 1:
        os.rename(full, os.path.join(folder, "moved"))
    elif action == 2 and os.path.isdir(full) and not os.path.islink(full):
        with open(os.path.join(full, "new"), "wb") as file:
            file.write(b"new")
    elif action == 3 and not os.path.isdir(full):
        os.unlink(full)


@pytest.mark.parametrize("seed", range(6))
def test_any_tree_after_any_damage_is_exact(place, seed) -> None:
    """I1 over many rounds: each tree is there as it should be."""
    random = Random(seed)
    for _ in range(40):
        paths = random_tree(random)
        place.put(paths)
        assert expected(paths) == found(place.folder)
        damage(random, place.folder)
