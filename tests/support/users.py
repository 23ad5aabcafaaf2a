"""Doing something as another user, in a child. Needs root."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["as_user", "shared_folder"]


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder that every user may write to; those of pytest are for one user alone."""
    path = Path(tempfile.mkdtemp(prefix="holdfast-shared-"))
    path.chmod(0o777)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def as_user(uid: int, gid: int, do: Callable[[], object]) -> str:
    """Return what `do` returns to a user of this one group, or the name of what it raises."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
            try:
                answer = str(do())
            except Exception as error:
                answer = " ".join([type(error).__name__, *getattr(error, "__notes__", ())])
            os.write(writing, answer.encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as pipe:
        return pipe.read().decode()
