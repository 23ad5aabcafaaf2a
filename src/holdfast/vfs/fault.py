"""A filesystem in which chosen calls fail, come short or are the last thing that the process does.

A `Fault` prints as one line and is read back from it, so that a failing run can be repeated:

    call 7 -> EIO                     the 7th call of all
    sync 1 -> EIO                     the 1st sync of a file
    write 2+ on *.log -> ENOSPC       the 2nd write to a name that ends in .log, and all after it
    write 1 -> short 10               ten bytes are written, no error is raised
    rename 1 -> stop                  sudden death just before the 1st rename

`each_fault` gives these one by one until nothing fails any more; `Without` switches a kind of call
off.
"""

from __future__ import annotations

import errno
import os
import re
from fnmatch import fnmatchcase
from threading import Event
from typing import TYPE_CHECKING, TypeVar, cast

from holdfast.vfs.interpose import OPERATIONS, Interposed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from holdfast.vfs import api
    from holdfast.vfs.interpose import Call

__all__ = ["Fault", "Faulty", "Stopped", "Without", "each_fault"]

T = TypeVar("T")

_RULE = re.compile(r"(\w+) ([1-9]\d*)(\+?)(?: on (.+))? -> (stop|short \d+|E[A-Z0-9]+)", re.DOTALL)
_CLOSING = frozenset({"close", "close_folder"})
_SYNCING = frozenset({"sync", "sync_data", "sync_folder"})
_NEVER_FAILS = frozenset({"start_writeback", "drop_cache"})
_NOT_SHORTENED = "short is for read and write"


class Stopped(BaseException):
    """The process died here; no `except Exception` may see it."""


class Fault:
    """One rule: which call, and what becomes of it.

    Attributes: `operation` (one of `OPERATIONS`, or `call` for any), `nth` from 1, `repeat`: that
    one and all after it, `on`: a pattern of the name, `effect`: the name of an errno, `short N` or
    `stop`. `fired` says whether it has happened, `seen` how many calls it has matched.
    """

    def __init__(
        self,
        operation: str,
        nth: int,
        *,
        effect: str,
        on: str | None = None,
        repeat: bool = False,
    ) -> None:
        self.operation = operation
        self.nth = nth
        self.effect = effect
        self.on = on
        self.repeat = repeat
        self.fired = False
        self.seen = 0
        self._check()

    def _check(self) -> None:
        word, _, number = self.effect.partition(" ")
        if self.operation not in OPERATIONS and self.operation != "call":
            raise ValueError(f"{self.operation}: no such operation")
        if self.nth < 1:
            raise ValueError(f"{self.nth}: calls are counted from 1")
        if word == "short" and not (number.isascii() and number.isdigit()):
            raise ValueError(f"{self.effect}: say `short` and a number of bytes")
        if word == "short" and self.operation not in {"read", "write"}:
            raise ValueError(f"{self}: {_NOT_SHORTENED}")
        if word not in {"stop", "short"} and not hasattr(errno, self.effect):
            raise ValueError(f"{self.effect}: no such errno")

    def __str__(self) -> str:
        on = "" if self.on is None else f" on {self.on}"
        return f"{self.operation} {self.nth}{'+' if self.repeat else ''}{on} -> {self.effect}"

    def __repr__(self) -> str:
        return f"Fault.parse({str(self)!r})"

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read a rule from its text.

        Raises:
            ValueError: for another text, an unknown operation or an unknown errno.
        """
        match = _RULE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not `OPERATION NTH[+] [on NAME] -> ERRNO|short N|stop`")
        operation, nth, repeat, on, effect = match.groups()
        return cls(operation, int(nth), effect=effect, on=on, repeat=bool(repeat))

    def strikes(self, call: Call) -> bool:
        """Count the call if it matches, and say whether it is the one."""
        if self.operation not in {"call", call.operation}:
            return False
        if self.on is not None and not fnmatchcase(call.name, self.on):
            return False
        self.seen += 1
        strikes = self.seen == self.nth or (self.repeat and self.seen > self.nth)
        self.fired = self.fired or strikes
        return strikes


class _MortalWords:
    """The words of a file, as long as the process lives."""

    def __init__(self, words: api.Words, dead: Event) -> None:
        self._words = words
        self._dead = dead
        self.release = words.release

    def __getitem__(self, index: int, /) -> int:
        return self._alive()[index]

    def __setitem__(self, index: int, value: int, /) -> None:
        self._alive()[index] = value

    def _alive(self) -> api.Words:
        if self._dead.is_set():
            raise Stopped("a word of a file")
        return self._words


class Faulty(Interposed):
    """Carries out `faults` on the calls of `inner`.

    After a `stop`, every call raises `Stopped`, and so does each use of the words of a file; only
    closing is silent: everything that was open is
    closed underneath at once, so the locks are gone as they are when the kernel ends a process.
    """

    def __init__(self, inner: api.VFS, *faults: Fault) -> None:
        super().__init__(inner)
        self.faults = faults
        self._dead = Event()

    @property
    def stopped(self) -> bool:
        """Whether a `stop` has struck."""
        return self._dead.is_set()

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Carry the call out, unless a fault strikes it.

        Raises:
            Stopped: the process is dead; nothing was changed.
        """
        if self._dead.is_set():
            if call.operation in _CLOSING:
                return cast("T", None)
            raise Stopped(str(call))
        for fault in self.faults:
            if fault.strikes(call):
                self._strike(fault, call, do)
        result = do()
        if self._dead.is_set():  # another thread stopped the process meanwhile
            raise Stopped(str(call))
        return result

    def passed_on(self, words: api.Words) -> api.Words:
        """Return words that a dead process cannot store."""
        return _MortalWords(words, self._dead)

    def _strike(self, fault: Fault, call: Call, do: Callable[[], object]) -> None:
        if fault.effect == "stop":
            self._dead.set()
            for handle in list(self.handles):
                try:
                    handle.inner.close()
                except OSError:
                    continue  # it is closed all the same
            raise Stopped(f"{fault}: {call}")
        if fault.effect.startswith("short "):
            call.short = int(fault.effect.removeprefix("short "))
            return
        if call.operation in _NEVER_FAILS:
            return
        if call.operation in _CLOSING:
            do()  # the descriptor is gone, whatever close(2) returns
        if call.operation in _SYNCING and (fail := getattr(call.inner, "fail_sync", None)):
            fail()  # the memory filesystem keeps what this error means for later syncs
        number = getattr(errno, fault.effect)
        raise OSError(number, os.strerror(number), call.name)


def each_fault(*effects: str) -> Iterator[Fault]:
    """Yield for each effect a fault on the first call, the second, until one does not strike.

        for fault in each_fault("EIO", "ENOSPC", "short 1", "stop"):
            run(Faulty(MemoryVFS(), fault))

    Each must be tried before the next is asked for; `short` is tried on writes alone.

    Raises:
        RuntimeError: after 10,000 faults of one effect, since the run then never ends by itself.
    """
    for effect in effects:
        operation = "write" if effect.startswith("short ") else "call"
        for nth in range(1, 10_001):
            fault = Fault(operation, nth, effect=effect)
            yield fault
            if not fault.fired:
                break
        else:
            raise RuntimeError(f"{effect}: 10,000 calls, and the run has not come to its end")


_NOTHING: dict[str, dict[str, object]] = {
    "sync": {"sync": None, "sync_data": None},
    "sync_folder": {"sync_folder": None},
    "lock": {"lock": True, "unlock": None, "lock_range": True, "unlock_range": None},
    "set_attributes": {"set_attributes": None},
    "rename": {},
}


class Without(Interposed):
    """A filesystem in which some kinds of calls do nothing: what still holds needs them not.

    `sync`, `sync_folder`, `lock` and `set_attributes` return as if they had worked; `rename` copies
    the bytes over the target in place, and then removes the old name.
    """

    def __init__(self, inner: api.VFS, *kinds: str) -> None:
        super().__init__(inner)
        unknown = [kind for kind in kinds if kind not in _NOTHING]
        if unknown:
            raise ValueError(f"{unknown[0]}: not one of {', '.join(_NOTHING)}")
        self._results = {key: value for kind in kinds for key, value in _NOTHING[kind].items()}
        self._copies = "rename" in kinds

    def around(self, call: Call, do: Callable[[], T]) -> T:
        """Carry the call out, unless it is switched off."""
        if call.operation in self._results:
            return cast("T", self._results[call.operation])
        return do()

    def do_rename(self, folder: api.Folder, names: tuple[str, str], source: api.Folder) -> None:
        """Rename, or copy in place."""
        if not self._copies:
            super().do_rename(folder, names, source)
            return
        old, new = source.open(names[0], "read"), folder.open(names[1], "create")
        try:
            new.truncate(0)
            while piece := old.read(1 << 16):
                while piece:
                    piece = piece[new.write(piece) :]
        finally:
            old.close()
            new.close()
        source.unlink(names[0])
