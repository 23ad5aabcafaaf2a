"""The registry, third part: the command line, and the drop-in for `atomicwrites`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from holdfast.compat import atomicwrites
from holdfast.vfs import SYSTEM
from tests.crash import documents, second_copy
from tests.crash.documents import CHANGED, changed
from tests.crash.places import Place
from tests.crash.promises import Operation
from tests.crash.whole_files import BACKED_UP, BACKUP, KEPT, MADE, NEW, OLD, SWEPT, whole
from tests.support.command_line import LIMIT_S, PROGRAM, environment


def command(at: Place, *words: str, stdin: bytes = b"") -> None:
    """Run the command line: in this process, or as the program that a user starts.

    Raises:
        RuntimeError: its exit code is not 0.
    """
    argv = [at.path(word[1:]) if word.startswith("@") else word for word in words]
    if not at.programs:
        second_copy.command_line(at.vfs, *argv, stdin=stdin)
        return
    done = subprocess.run(
        [*PROGRAM, *argv],
        input=stdin,
        capture_output=True,
        env=environment(),
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{argv}: exit code {done.returncode}: {done.stderr.decode()}")


def typed(*words: str, stdin: bytes = b"") -> Callable[[Place], None]:
    """What a user types; `@name` stands for a path."""
    return lambda at: command(at, *words, stdin=stdin)


def write_no_clobber(at: Place) -> None:
    if "c" not in at.tree():
        command(at, "write", "-n", "@c", stdin=NEW)


@contextmanager
def drop_in(at: Place) -> Iterator[Any]:
    """The module `holdfast.compat.atomicwrites`, on this place."""
    if at.vfs is SYSTEM:
        yield atomicwrites
    else:
        with second_copy.on(at.vfs, "holdfast.compat.atomicwrites") as module:
            yield module


def atomic_write(at: Place, name: str = "a", mode: str = "wb", *, overwrite: bool = True) -> None:
    data = NEW if "b" in mode else NEW.decode()
    with (
        drop_in(at) as module,
        suppress(FileExistsError),
        module.atomic_write(at.path(name), mode=mode, overwrite=overwrite) as file,
    ):
        file.write(data)


def own_folder(at: Place) -> None:
    """A subclass that puts its temporary file elsewhere, as users of the original do."""
    with drop_in(at) as module:

        class Elsewhere(module.AtomicWriter):  # type: ignore[name-defined, misc]
            def get_fileobject(self, **options: Any) -> Any:
                return super().get_fileobject(dir=at.path("n"), suffix=".part", **options)

        with module.atomic_write(at.path("a"), Elsewhere, mode="wb", overwrite=True) as file:
            file.write(NEW)


def rename_by_hand(at: Place, name: str = "ready") -> None:
    with drop_in(at) as module:
        if name in at.tree():
            module.replace_atomic(at.path(name), at.path("a"))


def move_by_hand(at: Place, name: str = "c") -> None:
    with drop_in(at) as module, suppress(FileExistsError):
        if "ready" in at.tree():
            module.move_atomic(at.path("ready"), at.path(name))


def never_both_gone(at: Place, returned: bool, *, name: str) -> None:
    """The contents that are moved are under one of the two names."""
    tree = at.tree()
    assert NEW in (tree.get("ready"), tree.get(name)), "lost: what is moved is nowhere"


READY = {"a": OLD, "ready": NEW}
DELETED = documents.OLD.replace(b'"n": 1, ', b"")
FILTER = (sys.executable, "-c", "import sys; print(sys.stdin.read().replace('1', '2'), end='')")

COMPAT = (
    whole("atomicwrites: atomic_write, overwrite", atomic_write),
    whole("atomicwrites: atomic_write, text", partial(atomic_write, mode="w")),
    whole(
        "atomicwrites: atomic_write, new", partial(atomic_write, name="c", overwrite=False), MADE
    ),
    whole("atomicwrites: atomic_write, mode and attributes", atomic_write, **KEPT),
    whole(
        "atomicwrites: AtomicWriter, own folder",
        own_folder,
        before={"a": OLD, "n/d": OLD},
        beside=("n/*.part",),
    ),
    whole(
        "atomicwrites: replace_atomic",
        rename_by_hand,
        {"a": (OLD, NEW), "ready": (NEW, None)},
        before=READY,
        also=partial(never_both_gone, name="a"),
    ),
    whole(
        "atomicwrites: replace_atomic, from another folder",
        partial(rename_by_hand, name="n/ready"),
        {"a": (OLD, NEW), "n/ready": (NEW, None)},
        before={"a": OLD, "n/ready": NEW},
        again={"a": (OLD, NEW), "n/ready": (NEW, None)},  # such a rename is two changes
    ),
    whole(
        "atomicwrites: move_atomic, to another folder",
        partial(move_by_hand, name="n/c"),
        {"n/c": (None, NEW), "ready": (NEW, None)},
        before={**READY, "n": None},
        also=partial(never_both_gone, name="n/c"),
        again={"ready": (NEW, None)},
    ),
    whole(
        "atomicwrites: move_atomic",
        move_by_hand,
        {"c": (None, NEW), "ready": (NEW, None)},
        before=READY,
        also=partial(never_both_gone, name="c"),
        again={"ready": (NEW, None)},
    ),
)

COMMANDS = (
    whole("holdfast write", typed("write", "@a", stdin=NEW)),
    whole("holdfast write -n", write_no_clobber, MADE),
    whole(
        "holdfast write --backup",
        typed("write", "--backup", "b", "@a", stdin=NEW),
        BACKED_UP,
        **BACKUP,
    ),
    changed("holdfast set", typed("set", "@doc.json", "n", "2")),
    changed(
        "holdfast del",
        typed("del", "-f", "@doc.json", "n"),
        {documents.NAME: (documents.OLD, DELETED)},
    ),
    changed("holdfast edit", typed("edit", "@doc.json", "--", *FILTER), CHANGED),
    whole("holdfast sweep", typed("sweep", "@"), {"a": (OLD,)}, **SWEPT),
)

OPERATIONS: tuple[Operation, ...] = (*COMPAT, *(COMMANDS if os.name == "posix" else ()))
