"""The reading half of a state machine that threads and processes share: opening, catching up.

I1  Nothing waits for a lock of all processes, or for a disk, while it holds that of the state.
I2  `_check` is the check word of the shared tail that the state corresponds to; 0 while the state
    is being changed. A lookup in the live state counts only if `is_fresh` holds after it, and the
    state and `_check` are what they were before it.
I3  No state of before a failed sync is brought up to what came after: who holds one is refused.
I4  The log is opened only as that of the journal in `place`, and never made where there is none.
"""

from __future__ import annotations

from _thread import get_ident

from holdfast.errors import Corruption
from holdfast.formats.journal_format import IDENTITY, LOG
from holdfast.light_threading import RLock
from holdfast.primitives.log_errors import closed
from holdfast.primitives.log_hint import CHECK, DURABLE, LAST, WANTED, place_of, tail_of
from holdfast.primitives.log_recovery import Settings
from holdfast.primitives.log_segment import has_segments
from holdfast.primitives.log_sharing import SharedAppender
from holdfast.state.checkpoints import Checkpoints
from holdfast.state.journal_place import JournalPlace, explain_unwritable, replaced
from holdfast.state.nesting import Nesting
from holdfast.state.replica import Replica, Rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, NamedTuple, TypeVar

    from holdfast.primitives.log_open import OpenLog
    from holdfast.vfs import VFS, Clock
    from holdfast.vfs.api import Words
else:
    from holdfast.light_typing import Generic, NamedTuple, TypeVar

__all__ = ["MachineReading", "Options"]

S = TypeVar("S")
_T = TypeVar("_T")


class Options(NamedTuple):
    """How a journal is kept; see `Journal`."""

    kind: str
    codec: str
    asks: bool
    period_s: float | None
    keep: int
    segment_bytes: int
    checkpoint_bytes: int | None
    max_unsynced_bytes: int
    read_only: bool
    permissions: int
    vfs: VFS
    clock: Clock


class MachineReading(Nesting, Generic[S]):
    """A journal that is open, with its state; `Machine` adds the writing.

    Args:
        path: of the journal.
        rules: of the state.
        options: see `Options`.
    """

    def __init__(self, path: str, rules: Rules[S], options: Options) -> None:
        super().__init__(path, (id(options.vfs), _real(path, options.vfs)))
        self._closed = False
        self.rules = rules
        self.options = options
        vfs, permissions = options.vfs, options.permissions
        self.place = self._new_place()
        self.log_path = f"{path}/{LOG}"
        settings = Settings(self.log_path, options.segment_bytes, permissions, vfs, options.clock)
        self.appender = SharedAppender(settings, before_opening=self._leave_log)
        self.replica = Replica(rules, self.log_path, vfs=vfs)
        self._monotonic = options.clock.monotonic
        self._forget()

    def _new_place(self) -> JournalPlace:
        options = self.options
        return JournalPlace(
            self.path,
            kind=options.kind,
            codec=options.codec,
            permissions=options.permissions,
            vfs=options.vfs,
        )

    def _leave_place(self) -> None:
        """Open the place anew next time.

        The one that was open is not closed but let go: who is writing a checkpoint there goes on
        with it, and its lock is given back when that is over.
        """
        with self.lock:
            self._checkpoints: Checkpoints | None = None
            self.place = self._new_place()

    def _forget(self) -> None:
        self.lock = RLock()
        self._opening = RLock()
        self._checkpoints = None
        self._words: Words | None = None
        self._log: OpenLog | None = None
        self._check = self._holder = self._looker = 0

    def _forget_parent(self) -> None:
        self._forget()
        self.replica.invalidate()
        self.appender.forget_files()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    # ------------------------------------------------------------ reading

    def is_at_rest(self, owner: int) -> bool:
        """Whether a thread holds the append lock and no other one, and the state is whole."""
        return self._holder == owner and not self.replica.is_torn

    @property
    def state(self) -> S:
        """The live state, without a look at what others did (I2)."""
        return self.replica.state

    def is_fresh(self) -> bool:
        """Whether the live state is the newest, and all of it durable that has to be."""
        words: Any = self._words
        log: Any = self._log
        try:
            return bool(
                words[CHECK] == self._check
                and words[DURABLE] >= words[WANTED]
                and self._monotonic() < log.trusted_until_s
            )
        except (TypeError, ValueError):  # not open; closed by another thread
            return False

    def read(self, look: Callable[[S], _T]) -> _T:
        """Return `look(state)`; nobody changes the state meanwhile.

        Raises:
            HandlePoisoned: a sync failed, in any process: the state may not be on the disk.
            Corruption: the journal is damaged.
            OSError: it cannot be read, or what is to be shown could not be synced.
            RuntimeError: this thread was interrupted at work.
            Closed: after `close`.
        """
        return self.read_numbered(look)[0]

    def read_numbered(self, look: Callable[[S], _T]) -> tuple[_T, int]:
        """Return `look(state)`, and the last commit that it saw; as `read`.

        Raises:
            Exception: as `read`.
        """
        seen, applied = self._look(look)
        if applied and not self.is_within():  # else the outer one joins
            self.join(applied)
        return seen, applied

    def join(self, applied: int) -> None:
        """Return when every commit up to this one is durable, as far as anybody waits for that.

        Raises:
            HandlePoisoned, Corruption, OSError, Closed: as `read`.
        """
        if self.options.read_only:
            self.marked(self._join_alone)
        else:
            self.marked(lambda: self.appender.join(applied))

    def _join_alone(self) -> None:
        with self.lock:
            self.replica.join()

    def peek(self, look: Callable[[S], _T]) -> _T:
        """Return `look(state)`, where what is seen need not be durable.

        Raises:
            Exception: as `read`.
        """
        return self._look(look)[0]

    def _look(self, look: Callable[[S], _T]) -> tuple[_T, int]:
        me = get_ident()
        if self._looker == me:  # as the outer one sees it
            return look(self.state), self.replica.applied
        self.refuse_interrupting()
        while self._opened_to_read():
            with self.lock:
                if self._words is None and not self.options.read_only and not self._closed:
                    continue  # another log has taken its place just now
                try:
                    self.marked(self._follow)
                    self._looker = me
                    return look(self.state), self.replica.applied
                finally:
                    self._looker = 0
        return look(self.rules.initial()), 0

    def sequence(self) -> int:
        """Return the last commit that is in the state.

        Raises:
            Exception: as `read`.
        """
        return self._look(_itself)[1]

    def refresh(self) -> S:
        """Return the live state, up to date; as `read`."""
        return self.state if self.is_fresh() else self.read(_itself)

    def _opened_to_read(self) -> bool:
        """Open the journal if it is there; False if there is none."""
        if self._closed:
            raise closed(self.path)
        if self.options.read_only:
            return self._opened_read_only()
        if self._words is not None and (self._holder or self.appender.is_current()):
            return True  # what is held is not exchanged meanwhile
        return self._open(create=False)

    def _opened_read_only(self) -> bool:
        with self.lock:
            if self._closed:
                raise closed(self.path)
            if self.place.is_open and self.place.is_current():
                return True
            self._leave_place()
            self.replica.invalidate()
            return self.place.open(create=False)

    def _open(self, *, create: bool) -> bool:
        """Open journal and log, and remember the shared tail; without the state's lock (I1)."""
        return self.marked(lambda: self._open_files(create=create))

    def _open_files(self, *, create: bool) -> bool:
        with self._opening:
            if self._closed:
                raise closed(self.path)
            if self.place.is_open and not self.place.is_current():
                self._leave_place()
            if not self.place.open(create=create):
                return False
            with self.lock:
                self._checkpoints = None
            self._refuse_lost_log()
            if not create:
                self.place.settle()  # before a log is made, by which others take it for durable
            try:
                log = None if create else self.appender.attach()
                if log is None:
                    log = self.appender.locked(self._current)
            except OSError as error:
                explain_unwritable(error, self.path)
                raise
            with self.lock:
                self._adopt(log)
        return True

    def _current(self, log: OpenLog) -> OpenLog:
        self.appender.current(log)
        return log

    def _adopt(self, log: OpenLog) -> None:
        """Make these the words that reads look at; a state of other files is forgotten."""
        if log is not self._log:
            self._check = 0
            self.replica.invalidate()
            self._log, self._words = log, log.words

    def _leave_log(self) -> None:
        """The log is about to be opened, perhaps in place of another one (I4).

        Raises:
            FileNotFoundError: there is no journal any more.
        """
        with self.lock:
            self._check = 0
            self._words = self._log = None
        try:
            self.options.vfs.stat(f"{self.path}/{IDENTITY}")
        except FileNotFoundError as error:
            error.add_note(f"{self.path}: was removed just now. Nothing was written.")
            raise

    def _refuse_lost_log(self) -> None:
        """Raise if the log of a journal that has checkpoints is gone, before a new one is made."""
        if has_segments(self.log_path, vfs=self.options.vfs):
            return
        kept = self.checkpoints().kept()
        if kept and kept[0].sequence:
            raise Corruption(
                f"{self.log_path}: the log is gone, and a checkpoint says that there were "
                f"{kept[0].sequence} commits. Nothing was changed. Put the folder back as it was, "
                "or salvage the checkpoint with `holdfast repair`.",
                path=self.log_path,
            )

    def checkpoints(self) -> Checkpoints:
        """The checkpoints of the journal, which exists."""
        with self.lock:
            if self._checkpoints is None:
                options = self.options
                self._checkpoints = Checkpoints(
                    self.place.folder,
                    self.place.identity,
                    keep=options.keep,
                    permissions=options.permissions,
                    vfs=options.vfs,
                    clock=options.clock,
                )
            return self._checkpoints

    def checkpoints_of(self, opened: object) -> Checkpoints | None:
        """Those of the journal that was opened as this one; None if another one is there by now."""
        with self._opening:
            return self.checkpoints() if self.place.is_still(opened) else None

    def _follow(self) -> None:
        """Apply what others have committed; for who holds the lock of the state."""
        if self._closed:
            raise closed(self.path)
        if self.options.read_only:
            self.replica.catch_up(self.checkpoints())
            return
        if self._holder == get_ident() or self._words is None or self._log is None:
            return
        check = self._words[CHECK]  # before the rest: what it stands for is published
        if check == self._check and self.replica.is_loaded:
            return
        self.appender.refuse_poisoned(self._log)  # I3
        self._check = 0
        if not self._come_to(check):
            self.replica.catch_up(self.checkpoints())
        words = self._words
        if words[CHECK] == check and words[LAST] < self.replica.applied:
            self.replica.load(self.checkpoints())  # an older log was copied over this one
        self._check = check

    def _come_to(self, check: int) -> bool:
        """Apply what was published with this check word, where the words tell all that it takes."""
        words, log = self._words, self._log
        place = None if words is None or log is None else place_of(words, log.boot)
        tail = None if words is None or place is None else tail_of(words, place)
        if words is None or place is None or tail is None or words[CHECK] != check:
            return False
        return self.replica.come_to(place, end=tail.end, last=tail.last)

    def come_up_to(self, log: OpenLog) -> None:
        """Apply every commit there is; with the append lock and that of the state.

        Raises:
            Exception: as `read`; ESTALE: another journal has taken the place of this one just now.
        """
        if self._closed:
            raise closed(self.path)
        if log is not self._log:
            raise replaced(self.path)
        tip = self.appender.current(log)
        replica = self.replica
        if tip.check != self._check or tip.last != replica.applied or not replica.is_loaded:
            self._check = 0
            if not self.replica.come_to(tip.segment.place, end=tip.end, last=tip.last):
                self.replica.catch_up(self.checkpoints(), to=tip.last)
            self._check = tip.check


def _itself(state: S) -> S:
    return state


def _real(path: str, vfs: VFS) -> str:
    """Return what is the same for every path of a folder, as far as symlinks go."""
    try:
        return vfs.resolve(path)
    except OSError:
        return path
