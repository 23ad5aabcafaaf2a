"""The state of a journal as one process holds it: a checkpoint, and the commits since.

Guarantee: the state is what applying every commit up to `applied`, in order and once, to the
    initial state gives; a gap on the way is `Corruption`, never a shorter state.

I1  `applied` moves with the state, and `_is_torn` from before the one until after the other: where
    they were left apart, what was applied is undone, or the next use reads the state anew.
I2  Commits that were dropped before they were read lie in a newer checkpoint: it is loaded.
I3  What is shown may be gone after a failed sync: with another epoch of the log the state is loaded
    anew, up to what is durable. Who reads only, and whose own sync has failed, tells everybody
    (`POISON`) if it may, and itself shows no more than that until the next epoch: another sync
    would return well, and cover nothing.

For who holds the lock of the state.
"""

from __future__ import annotations

from holdfast.errors import Corruption, Truncated
from holdfast.primitives.log_cursor import Cursor
from holdfast.primitives.log_errors import poisoned
from holdfast.primitives.log_segment import firsts_of
from holdfast.primitives.log_view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Generic, NamedTuple, Protocol, TypeVar

    from holdfast.formats.journal_format import CheckpointHead
    from holdfast.primitives.log_durable import Written
    from holdfast.primitives.log_hint import Place
    from holdfast.state.checkpoints import Checkpoints
    from holdfast.vfs import VFS
else:
    from holdfast.light_typing import Generic, NamedTuple, Protocol, TypeVar

__all__ = ["Replica", "Rules", "Slices"]

S = TypeVar("S")
_S_co = TypeVar("_S_co", covariant=True)
_T = TypeVar("_T")

_RELOADS = 20
_RECORD_BYTES = 48


class Slices(Protocol[_S_co]):
    """Gives a dump its looks at the state, each a short one."""

    def locked(self, look: Callable[[_S_co], _T]) -> _T:
        """Call `look` with the state while nobody changes it; others get a turn afterwards."""
        ...


class Rules(NamedTuple, Generic[S]):
    """What makes a state machine.

    Attributes:
        initial: makes the state that commits begin with.
        apply: changes the state by one entry; what it returns, if not None, takes its place.
        dump: the state as pieces of bytes. With more than one look at it, an entry that is applied
            once more must change nothing.
        load: the state from those pieces.
        apply_all: applies several entries, in order, in place of `apply`.
        undoing: returns what undoes all that is applied from now on; it returns another state, so
            that who looks without a lock knows.
    """

    initial: Callable[[], S]
    apply: Callable[[S, bytes], S | None]
    dump: Callable[[Slices[S]], Iterable[bytes]]
    load: Callable[[Iterator[bytes]], S]
    apply_all: Callable[[S, Sequence[bytes]], None] | None = None
    undoing: Callable[[S], Callable[[], S]] | None = None


class Replica(Generic[S]):
    """A state, and the place in the log up to which it is applied.

    Args:
        rules: of the state.
        path: of the log.
        vfs: the filesystem.
    """

    def __init__(self, rules: Rules[S], path: str, *, vfs: VFS) -> None:
        self._rules = rules
        self._path = path
        self._vfs = vfs
        self._view: View | None = None
        self._cursor: Cursor | None = None
        self._is_torn = False
        self._undoing: Callable[[S], Callable[[], S]] | None = None
        self._undo: tuple[Callable[[], S], int] | None = None
        self._epoch: tuple[int, ...] | None = None
        self._failed: tuple[int, ...] | None = None
        self.state = rules.initial()
        self.applied: int = 0
        """The last sequence that is in the state."""
        self.checkpoint = 0
        """The sequence of the last checkpoint that is known."""
        self.size_bytes = 0
        """Of that checkpoint."""
        self.bytes_since = 0
        """How much was committed since it, as far as this process has seen."""

    @property
    def is_torn(self) -> bool:
        """Whether the state is being changed, or was left half changed."""
        return self._is_torn

    @property
    def is_loaded(self) -> bool:
        """Whether there is a state that commits can be applied to."""
        return self._cursor is not None and not self._is_torn

    # ------------------------------------------------------------ loading

    def load(self, checkpoints: Checkpoints, *, stop: int | None = None) -> None:
        """Load the newest whole checkpoint and apply what follows.

        Args:
            checkpoints: of the journal.
            stop: the last sequence to apply; None: up to the end.

        Raises:
            Corruption: something is damaged or missing; the files are as they were.
            Truncated: with `stop`: that state is no longer kept.
            OSError: it cannot be read.
        """
        before = None
        for _ in range(_RELOADS):
            head, damage = self._begin(checkpoints, stop)
            try:
                self._apply_all(stop)
                self._refuse_short(head, stop, damage)
            except Truncated as error:
                self.invalidate()
                if before != (head, error.first):  # somebody has made another meanwhile
                    before = (head, error.first)
                    continue
                raise self._gap(head, error, damage, stop=stop) from error
            except BaseException:
                self.invalidate()
                raise
            return
        raise Corruption(f"{self._path}: commits are dropped faster than read.", path=self._path)

    def _begin(
        self, checkpoints: Checkpoints, stop: int | None
    ) -> tuple[CheckpointHead | None, tuple[Corruption, ...]]:
        self.invalidate()
        loaded = checkpoints.load(self._rules.load, through=stop)
        head = loaded.head
        if head is None:
            self.state = self._rules.initial()
            self.applied = self.checkpoint = self.size_bytes = 0
        else:
            state: Any = loaded.value
            self.state = state
            self.applied = self.checkpoint = head.sequence
            self.size_bytes = head.body_bytes
        self.bytes_since = 0
        self._view = View(self._path, durable=False, vfs=self._vfs)
        self._epoch = self._view.epoch()  # before anything is read
        if self._epoch is not None and self._epoch == self._failed:
            self._view.show_durable()
        self._cursor = Cursor(self._view, self.applied + 1)
        self._is_torn = False
        return head, loaded.skipped

    def _refuse_short(
        self, head: CheckpointHead | None, stop: int | None, damage: Sequence[Corruption]
    ) -> None:
        """Raise if the log ends before what the checkpoint holds (a backup was mixed up)."""
        needed = 0 if head is None else head.through
        if stop is not None and self.applied < stop:
            needed = stop
        if self.applied < needed or (needed and not self._reaches(needed)):
            if damage:
                raise damage[0]
            raise Corruption(
                f"{self._path}: commits up to {needed} were durable, and the log ends before. "
                "Nothing was changed. Put the files back as they were, or salvage what is whole "
                "with `holdfast repair`.",
                path=self._path,
                expected=needed,
                found=self.applied,
            )

    def _reaches(self, needed: int) -> bool:
        """Look whether the log would give a next commit a number above `needed`."""
        view = self._view
        folder = None if view is None else view.open()
        if view is None or folder is None or not firsts_of(folder):
            return False
        limit = view.limit()
        return (Cursor.end_of(view) if limit is None else limit) >= needed

    def _gap(
        self,
        head: CheckpointHead | None,
        error: Truncated,
        damage: Sequence[Corruption],
        *,
        stop: int | None,
    ) -> Corruption | Truncated:
        if damage:
            return damage[0]
        if stop is not None:
            return Truncated(
                f"{self._path}: the state of commit {stop} is no longer kept: the commits before "
                f"{error.first} were dropped, and no checkpoint holds it. Nothing was changed. "
                "Keep more of them (keep=).",
                path=self._path,
                asked=stop,
                first=error.first,
            )
        known = 0 if head is None else head.sequence
        return Corruption(
            f"{self._path}: the checkpoint ends with commit {known}, and the log begins with "
            f"{error.first}. Nothing was changed. Put the missing files back, or salvage what is "
            "whole with `holdfast repair`.",
            path=self._path,
            expected=known + 1,
            found=error.first,
        )

    def invalidate(self) -> None:
        """Forget the state, as it may be half changed (I1)."""
        cursor, view = self._cursor, self._view
        self._cursor = self._view = None
        if cursor is not None:
            cursor.close()
        if view is not None:
            view.close()

    # ------------------------------------------------------------ applying

    def come_to(self, place: Place, *, end: int, last: int) -> bool:
        """Apply what lies before a published end, if that is close by; False: it takes `catch_up`.

        For who knows that no sync has failed since.

        Raises:
            Exception: as `catch_up`; the state is forgotten.
        """
        cursor = self._cursor
        if cursor is None or not self.is_loaded:
            return False
        try:
            if (found := cursor.pull_to(place, end=end, last=last)) is None:
                return False
            self._apply(*found)
        except BaseException:
            self.invalidate()
            raise
        return True

    def catch_up(self, checkpoints: Checkpoints, *, to: int | None = None) -> None:
        """Apply what was committed since; all that may be shown, and at least up to `to`.

        Raises:
            Corruption, OSError: as `load`; the state is forgotten.
        """
        if not self.is_loaded or self._is_of_another_epoch():
            self.load(checkpoints)
        else:
            try:
                self._apply_all(None)
            except Truncated:
                self.load(checkpoints)  # I2
            except BaseException:
                self.invalidate()
                raise
        if to is not None and self.applied != to:
            applied = self.applied
            self.invalidate()
            raise Corruption(
                f"{self._path}: the log ends with commit {to}, and {applied} was reached. Nothing "
                "was changed. Open the journal anew; if that does not help, see `holdfast verify`.",
                path=self._path,
                expected=to,
                found=applied,
            )

    def _is_of_another_epoch(self) -> bool:
        """Look whether what was applied may be gone (I3); who joins syncs is refused before."""
        return self._view is not None and self._view.epoch() != self._epoch

    def _apply_all(self, stop: int | None) -> None:
        cursor = self._cursor
        if cursor is None or (stop is not None and self.applied >= stop):
            return
        while True:
            first, entries = cursor.pull_data()
            if stop is not None:
                del entries[max(stop + 1 - first, 0) :]
            if not entries:
                return
            self._apply(first, entries)

    def _apply(self, first: int, entries: list[bytes]) -> None:
        if first != self.applied + 1:
            raise Corruption(
                f"{self._path}: commits after {self.applied} are missing. Nothing was changed. Put "
                "the missing files back, or salvage what is whole with `holdfast repair`.",
                path=self._path,
                expected=self.applied + 1,
                found=first,
            )
        self._is_torn = True
        if self._rules.apply_all is not None:
            self._rules.apply_all(self.state, entries)
        else:
            self._apply_each(first, entries)
        self.bytes_since += sum(map(len, entries)) + _RECORD_BYTES * len(entries)
        self.applied += len(entries)
        self._is_torn = False

    def _apply_each(self, first: int, entries: Sequence[bytes]) -> None:
        state, apply = self.state, self._rules.apply
        for sequence, entry in enumerate(entries, first):
            try:
                changed = apply(state, entry)
            except Exception as error:
                error.add_note(f"{self._path}: commit {sequence} cannot be applied.")
                raise
            if changed is not None:
                state = self.state = changed

    def join(self) -> None:
        """Make durable what is applied, as far as its writers wait for that; without the sync lock.

        Raises:
            OSError: it could not be synced; the state is forgotten.
            HandlePoisoned: somebody else could not sync it; the state is forgotten.
        """
        view, cursor = self._view, self._cursor
        if view is None or cursor is None or not view.awaits(self.applied):
            return
        try:
            cursor.sync()
        except OSError as error:
            view.poison(error)
            self._failed = view.epoch()
            self.invalidate()
            raise
        if self._is_of_another_epoch():
            durable = view.durable
            self.invalidate()
            raise poisoned(self._path, None, durable)

    # ------------------------------------------------------------ own commits

    def change(self, entry: bytes) -> None:
        """Apply an entry that is about to be appended; then it is `took` or `failed`."""
        if self._undoing is not None and not self._is_torn:
            self._undo = self._undoing(self.state), self.bytes_since
        self._is_torn = True
        changed = self._rules.apply(self.state, entry)
        if changed is not None:
            self.state = changed
        self.bytes_since += len(entry) + _RECORD_BYTES

    def took(self, written: Written) -> None:
        """What was applied is appended."""
        if self._cursor is not None:
            try:
                self._cursor.skip(written.segment, end=written.end, following=written.last + 1)
            except OSError:  # what was appended stands: the next look at what others did reads it
                self.invalidate()
        self.applied = written.last
        self._undo = None
        self._is_torn = False

    def failed(self, error: BaseException) -> None:
        """What was applied is not appended, or nobody knows: it is undone, or the state forgotten.

        It can be undone once a commit has failed before: so none costs more for it until then, and
        a disk that stays full does not have the state read anew again and again.
        """
        if not self._is_torn:
            return
        before, self._undo = self._undo, None
        self._undoing = self._rules.undoing
        if before is None or not isinstance(error, OSError):
            self.invalidate()
            return
        undo, self.bytes_since = before
        self.state = undo()
        self._is_torn = False
