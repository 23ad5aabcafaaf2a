"""Rules that say how to mend what a state shows: which sync is missing, or which pattern is wrong.

What was lost had to be durable before the last thing that happened: the state is the one with the
fewest losses and, among those, the earliest crash, so without that last thing it was still right.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from holdfast.crash.explorer.wording import function_key, is_python, label, site_key
from holdfast.formats.log_format import first_of
from holdfast.primitives.log_hint import LOCK
from holdfast.vfs import operations as ops
from holdfast.vfs.micro import Move

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.crash.explorer.scene import Scene, Target

__all__ = ["Advice", "advise"]


class _Use(NamedTuple):
    """What of holdfast does it: for a program in Python, and for any other."""

    python: str
    other: str = "in a shell, `holdfast write FILE` does that"


_REPLACE = _Use("holdfast.write_bytes(path, data), or holdfast.open(path, 'w'), does that")
_DURABLE = _Use(
    "holdfast.write_bytes and holdfast.open sync both file and folder before they return",
    "in a shell, `holdfast write FILE` syncs both file and folder before it returns",
)
_RAISES = _Use(
    "holdfast.write_bytes raises and leaves the old contents",
    "in a shell, `holdfast write FILE` fails and leaves the old contents",
)
_SAME_FOLDER = _Use("holdfast.write_bytes and holdfast.replacing do that")
_TO_REPLACE = _Use(
    f"to replace: {_REPLACE.python}", "to replace, in a shell: `holdfast write FILE`"
)
_MAKE = _Use(
    f"{_REPLACE.python}; holdfast.open(path, 'x') for one that must be new",
    "in a shell, `holdfast write FILE` does that, and -n only for one that must be new",
)
_ONE_COMMIT = _Use(
    "Store.transaction(), Journal.commit() and Log.append_many() make one of several; "
    'sync="always", or barrier(), makes it durable',
    "`holdfast store import` and `log append` make one commit of several lines",
)
_NOTHING = _Use("", "")
_CHECKSUM = "give each record a length and a checksum, and take one that fails them for not there"


_MENDED_BY_REPLACING = {"torn-write", "truncate-then-write", "name-before-contents", "not-atomic"}


class Advice(NamedTuple):
    """How to mend it: the `rule`, the number of the `call` to change, what to do, what does it.

    `key` is the same for two states that are mended by the same change of the program.
    """

    rule: str
    call: int | None
    do: str
    use: str
    key: str


def advise(scene: Scene, *, hung: bool = False) -> tuple[Advice, ...]:
    """Return what to do about this state, the most important first.

    Args:
        hung: the check did not come to its end for it, so what it would say is not known.
    """
    found = list(_about_losses(scene)) if scene.lost else [_about_order(scene)]
    if hung:
        found = [_HANGS, *(advice for advice in found if advice.rule != "acknowledged-early")]
    return tuple({advice.key: advice for advice in found}.values())


_HANGS = Advice(
    "check-hangs",
    None,
    "the check did not end, so it says nothing of this state. See by a replay where it waits: let "
    "it give up by itself, or allow it more time (--check-timeout, check_timeout_s).",
    "",
    "check-hangs",
)


def _advice(scene: Scene, rule: str, operation: int, *, do: str, use: _Use) -> Advice:
    if not 0 <= operation < len(scene.operations):
        return Advice(rule, None, do, use.python, rule)
    call = scene.call(operation)
    words = use.python if scene.recording.recorder == "memory" or is_python(call) else use.other
    if rule in _MENDED_BY_REPLACING:
        return Advice(rule, call.number, do, words, f"replace {function_key(call)}")
    return Advice(rule, call.number, do, words, f"{rule} {site_key(call)}")


# Something was lost.


def _about_losses(scene: Scene) -> Iterator[Advice]:
    for target, numbers in scene.targets.items():
        at = numbers[-1]
        failed = _failed_sync(scene, target.inode, after=at)
        half = next((number for number in numbers if _is_half_moved(scene, number)), None)
        if failed is not None:
            yield _mind_the_failure(scene, failed)
        elif half is not None:
            yield _same_folder(scene, half)
        elif (commit := _last_commit(scene, at)) is not None:
            yield _one_commit(scene, commit)
        elif target.part == "entries":
            yield _sync_folder(scene, target, at)
        elif at == scene.at - 1:
            yield _torn(scene, at)
        else:
            yield _sync_file(scene, target, at)


def _failed_sync(scene: Scene, inode: int, *, after: int) -> int | None:
    for at in range(after + 1, scene.at):
        operation = scene.operations[at]
        if isinstance(operation, ops.SyncFailed) and operation.inode == inode:
            return at
    return None


def _mind_the_failure(scene: Scene, at: int) -> Advice:
    return _advice(
        scene,
        "failed-sync",
        at,
        do=f"{label(scene.call(at))} failed, and the program went on. After a failed sync the "
        "system takes what it could not write for written: no later sync covers it. Do not "
        "acknowledge; write the contents anew, into a new file.",
        use=_RAISES,
    )


def _is_half_moved(scene: Scene, at: int) -> bool:
    operation = scene.operations[at]
    return (
        isinstance(operation, ops.Rename)
        and operation.folder != operation.to_folder
        and len(scene.lost[at]) == 1
        and not isinstance(scene.lost[at][0], Move)  # all of it: it was taken for one change
    )


def _same_folder(scene: Scene, at: int) -> Advice:
    return _advice(
        scene,
        "rename-across-folders",
        at,
        do=f"a rename from one folder to another is two changes on the disk, and one of them was "
        f"lost. Put the temporary file of {label(scene.call(at))} into the folder of its target.",
        use=_SAME_FOLDER,
    )


def _before(scene: Scene, after: int) -> str:
    """Say before what the sync has to return: an acknowledgement, or the next call that counts."""
    last = scene.at - 1
    if last <= after:
        return ""
    call = scene.call(last)
    if isinstance(scene.last, ops.Mark):
        return f" and before the acknowledgement {label(call)}"
    return f" and before {label(call)}"


def _is_segment(scene: Scene, inode: int, at: int) -> bool:
    """Whether it is a file of a log of holdfast: whoever appends to that has no file to sync."""
    return first_of(os.path.basename(scene.path(inode, after=at))) is not None


def _one_commit(scene: Scene, at: int) -> Advice:
    return _advice(
        scene,
        "one-commit",
        at,
        do=f"{label(scene.call(at))} is a commit to a log, and a crash leaves the commits up to "
        "any one of them. Make one commit of what belongs together; and let what must not be lost "
        "be durable before it is acknowledged, or built upon.",
        use=_ONE_COMMIT,
    )


def _sync_folder(scene: Scene, target: Target, at: int) -> Advice:
    return _advice(
        scene,
        "sync-folder",
        at,
        do=f"sync the folder {scene.path(target.inode, after=at)!r} after {label(scene.call(at))}"
        f"{_before(scene, at)}: by POSIX that alone covers its names; on Linux a later fsync of a "
        "file covers those that it got, too.",
        use=_DURABLE,
    )


def _sync_file(scene: Scene, target: Target, at: int) -> Advice:
    rename = next((n for n in range(at + 1, scene.at) if scene.moved_by(n) == target.inode), None)
    path = scene.path(target.inode, after=at)
    what = "attributes" if target.part == "attributes" else "contents"
    if rename is not None:
        return _advice(
            scene,
            "sync-before-rename",
            rename,
            do=f"sync {path!r} after {label(scene.call(at))} and before "
            f"{label(scene.call(rename))}: the new name may reach the disk before the {what}.",
            use=_DURABLE,
        )
    return _advice(
        scene,
        "sync-file",
        at,
        do=f"sync {path!r} after {label(scene.call(at))}{_before(scene, at)}.",
        use=_DURABLE,
    )


def _torn(scene: Scene, at: int) -> Advice:
    if scene.is_empty_write(at):
        why = (
            f"the size of a file and its bytes reach the disk apart, so {label(scene.call(at))} "
            "may leave it longer with zeros in it until a sync of it has returned"
        )
    else:
        why = (
            f"the blocks of {label(scene.call(at))} reach the disk one by one, which no sync "
            "prevents"
        )
    return _advice(
        scene,
        "torn-write",
        at,
        do=f"{why}. Replace the whole file, or {_CHECKSUM}.",
        use=_TO_REPLACE,
    )


# Nothing was lost: the order of the calls itself is wrong.


def _about_order(scene: Scene) -> Advice:
    last, at = scene.last, scene.at - 1
    if last is None:
        return _before_the_start(scene)
    if isinstance(last, ops.Mark):
        return _early(scene, at)
    commit = _last_commit(scene, at)
    if commit is not None:
        return _one_commit(scene, commit)
    if scene.is_half_written:
        return _torn(scene, at)
    if isinstance(last, ops.Truncate) and _written_later(scene, last.inode):
        return _truncated(scene, at)
    if isinstance(last, ops.Link) and _written_later(scene, last.inode):
        return _empty(scene, at)
    if isinstance(last, ops.Unlink) and _named_later(scene, last.folder, last.name):
        return _removed(scene, at)
    return _unfinished(scene, at)


def _last_commit(scene: Scene, at: int) -> int | None:
    """Return the write to a log that was the last thing, but for its sync and its lock file."""
    for number in range(at, -1, -1):
        operation = scene.operations[number]
        if isinstance(operation, ops.Write):
            if _is_segment(scene, operation.inode, number):
                return number
            if os.path.basename(scene.path(operation.inode, after=number)) != LOCK:
                return None
        elif not isinstance(operation, ops.SyncFile):
            return None
    return None


def _written_later(scene: Scene, inode: int) -> bool:
    coming = scene.operations[scene.at :]
    return any(isinstance(later, ops.Write) and later.inode == inode for later in coming)


def _named_later(scene: Scene, folder: int, name: str) -> bool:
    for later in scene.operations[scene.at :]:
        if isinstance(later, ops.Link | ops.MakeFolder):
            if (later.folder, later.name) == (folder, name):
                return True
        elif isinstance(later, ops.Rename) and (later.to_folder, later.to_name) == (folder, name):
            return True
    return False


def _early(scene: Scene, at: int) -> Advice:
    return _advice(
        scene,
        "acknowledged-early",
        at,
        do=f"{label(scene.call(at))} came before the calls that make it true. Perhaps the data "
        "were still in a buffer of the program: flush, sync, and acknowledge last.",
        use=_DURABLE,
    )


def _truncated(scene: Scene, at: int) -> Advice:
    return _advice(
        scene,
        "truncate-then-write",
        at,
        do=f"{label(scene.call(at))} empties the file before the new contents are there. Write "
        "them to a temporary file in the same folder, sync it, and rename it over the old one.",
        use=_REPLACE,
    )


def _empty(scene: Scene, at: int) -> Advice:
    return _advice(
        scene,
        "name-before-contents",
        at,
        do=f"{label(scene.call(at))} gives the file its name before it has its contents. Write to "
        "a temporary name in the same folder, sync, and rename.",
        use=_MAKE,
    )


def _removed(scene: Scene, at: int) -> Advice:
    return _advice(
        scene,
        "remove-then-rename",
        at,
        do=f"{label(scene.call(at))} removes the old before the new has its name. A rename "
        "replaces what is there: leave the removal out.",
        use=_REPLACE,
    )


def _before_the_start(scene: Scene) -> Advice:
    return _advice(
        scene,
        "before-the-start",
        -1,
        do="the check, or the recovery, fails for the folder as it was before the first call. Let "
        "it accept that too, or prepare the folder before the recording begins.",
        use=_NOTHING,
    )


def _unfinished(scene: Scene, at: int) -> Advice:
    if scene.is_inside:
        where = f"inside {label(scene.call(at))}"
    elif scene.at < len(scene.operations):
        where = f"between {label(scene.call(at))} and {label(scene.call(scene.at))}"
    else:
        where = f"after {label(scene.call(at))}"
    return _advice(
        scene,
        "not-atomic",
        at,
        do=f"a crash {where} leaves a mix: several calls are not one. Prepare the new contents "
        "under another name and rename once, or write to a log first and finish what it says when "
        "the program starts.",
        use=_REPLACE,
    )
