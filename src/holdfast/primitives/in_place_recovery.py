"""A patch that was interrupted: finished if it was committed, dropped if not, never left in part.

Guarantee: when `settle` returns, the file holds all of the patch or nothing of it, durably, and the
    journal is empty. After a crash in between the next one comes to the same end.
Not guaranteed: anything if a program without the locks has written into the blocks of the patch
    meanwhile: then it is refused, and a person decides.

I1  A patch is finished only if each byte of its blocks is as it was before, or as the patch makes
    it: so the journal belongs to this file, and nobody has written there since.
I2  The journal is written once more and synced before the file is touched: its writer may have
    died before his sync, or after one that failed. It is emptied only when the file is synced.
    Both whatever `sync=` was asked for: the patch may be that of somebody who asked for it.
I3  A patch whose journal is torn was not begun. If a block that is whole there was begun, all of it
    was whole once: that is damage, and nothing is changed.
I4  A patch that was to be durable never is dropped for its age; one that was not is, if the machine
    was started anew since: nothing was promised, and what it has left may fit nothing.
"""

from __future__ import annotations

from holdfast.errors import BadFrame, Conflict
from holdfast.formats.patch_format import BLOCK_BYTES, encode, likeness, whole_blocks
from holdfast.primitives.in_place_journal import write_at
from holdfast.primitives.log_hint import boot_number
from holdfast.primitives.regular_files import read_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NamedTuple

    from holdfast.formats.patch_format import Block, Head
    from holdfast.primitives.in_place_journal import PatchJournal, Syncing
    from holdfast.vfs import VFS, File
else:
    from holdfast.light_typing import NamedTuple

__all__ = ["Found", "PatchRecovery", "boot_of", "examine", "settle"]


class PatchRecovery(NamedTuple):
    """An interrupted patch, and what became of it.

    `finished`: it was committed, and is in the file now. `dropped`: it was not, and the file is as
    it was before. `blocks` of 4,096 bytes it changes; `created_ns`: when it was begun, by the wall
    clock.
    """

    outcome: Literal["finished", "dropped"]
    blocks: int
    created_ns: int


class Found(NamedTuple):
    """A patch in a journal. `problem`: why it can be neither finished nor dropped.

    `blocks`: those that are whole. `is_committed`: it is to be finished.
    """

    head: Head
    blocks: list[Block]
    is_committed: bool
    problem: Conflict | BadFrame | None


def boot_of(vfs: VFS) -> int:
    """Return what stands for this run of the machine in a journal that is not synced; never 0."""
    return boot_number(vfs.boot()) or 1


def examine(journal: PatchJournal, file: File, *, path: str, vfs: VFS) -> Found | None:
    """Say what is in a journal, and what is to be done with it; None if it is empty.

    Args:
        journal: of the file.
        file: it, open.
        path: for the errors.
        vfs: the filesystem.

    Raises:
        Corruption: the head is damaged, of a later format, or none; nothing was changed.
        OSError: one of the two cannot be read.
    """
    head = journal.head()
    if head is None:
        return None
    blocks = whole_blocks(head, journal.body(head), path=journal.path)
    if head.boot and head.boot != boot_of(vfs):
        return Found(head, blocks, is_committed=False, problem=None)
    begun, foreign = _compared(head, blocks, file)
    problem: Conflict | BadFrame | None = None
    is_committed = len(blocks) == head.blocks
    if is_committed and foreign:
        problem = _conflict(path, journal.path, foreign[0])
    elif begun and not is_committed:
        problem = _damaged(path, journal.path, found=len(blocks), of=head.blocks)
    return Found(head, blocks, is_committed, problem)


def _compared(head: Head, blocks: list[Block], file: File) -> tuple[bool, list[int]]:
    """Whether any block was begun, and which are neither old nor new (I1)."""
    begun, foreign = False, list[int]()
    is_longer = file.stat().st_size > head.new_size > head.old_size
    for block in blocks:
        found = read_block(file, BLOCK_BYTES, offset=block.offset)
        like = likeness(block, found)
        added = slice(len(block.old), len(block.new))
        begun |= like.begun or b"" != block.new[added] == found[added]
        # Behind the old end anything may stand, but where somebody has gone on there.
        if like.foreign or (is_longer and found[added] != block.new[added]):
            foreign.append(block.offset)
    return begun, foreign


def settle(
    journal: PatchJournal, file: File, *, path: str, syncing: Syncing, vfs: VFS
) -> PatchRecovery | None:
    """Finish or drop what is in the journal; for who holds the lock of the file's patches.

    Args:
        journal: of the file.
        file: it, open to be written.
        path: for the errors.
        syncing: of the handle.
        vfs: the filesystem.

    Returns:
        What was done; None if the journal was empty.

    Raises:
        Conflict: the file is not the one that the patch was for, or was written to since by
            somebody who takes no lock; nothing was changed.
        Corruption: the journal is damaged, of a later format, or none; nothing was changed.
        OSError: the patch is still in the journal, and in the file perhaps in part.
    """
    found = examine(journal, file, path=path, vfs=vfs)
    if found is None:
        if not journal.is_clean:
            journal.drop(synced=True)
        return None
    if found.problem is not None:
        raise found.problem
    head = found.head
    try:
        if found.is_committed:
            journal.confirm(encode(head, found.blocks))
            for block in found.blocks:
                write_at(file, block.new, block.offset)
            with syncing:
                file.sync_data()
        journal.drop(synced=True)
    except OSError as error:
        error.add_note(
            f"{path}: an interrupted patch could not be finished. It waits in {journal.path}, and "
            "the file may hold it in part. Mend the cause, and open the file anew."
        )
        raise
    outcome: Literal["finished", "dropped"] = "finished" if found.is_committed else "dropped"
    return PatchRecovery(outcome, head.blocks, head.created_ns)


def _conflict(path: str, journal: str, offset: int) -> Conflict:
    return Conflict(
        f"{path}: an interrupted patch waits in {journal}, and the block at {offset} is "
        "neither as before nor as it is to be: another file took this place, or somebody wrote to "
        "it since. Nothing was changed. Save both by `holdfast repair`, which "
        "makes a copy with the patch, or remove the journal to do without it.",
        path=path,
    )


def _damaged(path: str, journal: str, *, found: int, of: int) -> BadFrame:
    return BadFrame(
        f"{journal}: {of - found} of the {of} blocks of a patch are damaged, and {path} holds it "
        "in part. Nothing was changed. Take both from a backup, or save what is whole by "
        "`holdfast repair`.",
        path=journal,
        offset=0,
        expected=of,
        found=found,
    )
