"""Carries calls out as the user that the thread is by now, with the umask that it has by now."""

from __future__ import annotations

import os
from ctypes import c_uint32
from typing import TYPE_CHECKING

from holdfast.crash.recorders import kernel

if TYPE_CHECKING:
    from holdfast.crash.recorders.tasks import Task

__all__ = ["Credentials"]


class Credentials:
    """What a program may change about itself, followed once it was seen to change something.

    I1 Between calls, the recorder's thread is who it was.
    """

    def __init__(self, numbers: dict[str, int]) -> None:
        self._numbers = numbers
        self._changed = self._masked = False

    def told(self, name: str) -> None:
        """A call went by that changes the umask or the user."""
        self._masked |= name == "umask"
        self._changed |= name != "umask"

    def assume(self, task: Task) -> None:
        """Be as the thread is.

        Raises:
            OSError: not permitted.
        """
        if self._masked:
            os.umask(int(task.status("Umask")[0], 8))
        if self._changed:
            user, group = int(task.status("Uid")[3]), int(task.status("Gid")[3])
            self._become(user, group, [int(one) for one in task.status("Groups")])

    def drop(self) -> None:
        """Be ourselves again."""
        if self._changed:
            kernel.syscall(self._numbers["setfsuid"], os.geteuid())
            self._become(os.geteuid(), os.getegid(), os.getgroups())

    def _become(self, user: int, group: int, groups: list[int]) -> None:
        """Set what file calls of this one thread are checked with, the user last."""
        if os.geteuid() == 0:
            array = (c_uint32 * len(groups))(*groups)
            kernel.syscall(self._numbers["setgroups"], len(groups), array)
        kernel.syscall(self._numbers["setfsgid"], group)
        kernel.syscall(self._numbers["setfsuid"], user)
