"""Words of the memory filesystem: of the machine that runs, not of its disk."""

from __future__ import annotations

from holdfast.vfs.memory import MemoryVFS


def test_words_survive_a_kill_and_no_power_cut() -> None:
    """The next process on the same machine finds them; after a crash they are zero."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": bytes(8)})
    _store(vfs, 7)

    assert 7 == _load(vfs)
    assert 0 == _load(vfs.crash())
    assert [0, 0] == [_load(crashed) for crashed in (vfs.crash(seed=1), vfs.crash(at=0))]
    assert 7 == _load(vfs)


def test_words_are_no_part_of_the_contents() -> None:
    """Storing one changes no byte and no time, and is nothing that a crash could lose."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": b"contents"})
    before = vfs.stat("/a")
    _store(vfs, 7)

    assert {"a": b"contents"} == vfs.tree()
    assert before == vfs.stat("/a")
    assert [] == vfs.core.operations


def test_words_of_a_removed_file_go_with_it() -> None:
    """Another file of that name has words of its own, zero at first."""
    vfs = MemoryVFS()
    vfs.write_tree({"a": bytes(8)})
    _store(vfs, 7)
    folder = vfs.folder("/")
    folder.unlink("a")
    file = folder.open("a", "new")
    file.write(bytes(8))
    file.close()
    folder.close()

    assert 0 == _load(vfs)


def test_each_machine_has_a_boot_of_its_own() -> None:
    """Two filesystems differ, and a crash ends the run of the machine."""
    one, two = MemoryVFS(), MemoryVFS()
    boots = [one.boot(), two.boot(), one.crash().boot(), one.crash().boot()]

    assert 4 == len(set(boots))
    assert boots[0] == one.boot()


def _store(vfs: MemoryVFS, number: int) -> None:
    folder = vfs.folder("/")
    file = folder.open("a", "write")
    words = file.words(1)
    words[0] = number
    words.release()
    file.close()
    folder.close()


def _load(vfs: MemoryVFS) -> int:
    folder = vfs.folder("/")
    file = folder.open("a", "read")
    words = file.words(1)
    found = words[0]
    words.release()
    file.close()
    folder.close()
    return found
