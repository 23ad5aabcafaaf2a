"""Is there one order of all operations that explains what every client was told?

A recorded history of a store is linearizable if its operations can be put in one order, in which
each took effect at a moment between its start and its end, and each was told what a plain dict
would have said there. What was under way when its process was killed has no end: it took effect
at any moment after its start, or never.

The search goes through the orders (Wing and Gong; with the memory of Lowe) and is made fast by
unique tags: each value says which operation wrote it, so that a value that somebody has yet to see
must not be overwritten, and that what somebody saw did happen. Keys that no operation joins are
looked at one by one. The work is bounded: `undecided` is told where it does not suffice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import inf
from typing import Any, NamedTuple

Value = tuple[int, str] | None
"""A number and the tag of the operation that wrote it; None: there is no such key."""

State = Mapping[str, Value]
Outcome = tuple[object, dict[str, Value]]

INITIAL = "initial"
"""The tag of values that were there before."""

STEPS = 2_000_000


class Op(NamedTuple):
    """One operation of one client; `tag` is its own. `end` is None where nobody was told of it.

    Such a one took effect at a moment after its start and before `until`, or never.
    """

    tag: str
    kind: str
    arguments: tuple[Any, ...]
    start: float
    end: float | None
    result: object = None
    until: float = inf

    def __str__(self) -> str:
        told = "nobody was told" if self.end is None else f"-> {self.result!r}"
        end = self.until if self.end is None else self.end
        return f"{self.tag}: {self.kind}{self.arguments!r} {told} [{self.start}, {end}]"


class Verdict(NamedTuple):
    """`word`: linearizable, not linearizable or undecided; why; and after how much work."""

    word: str
    why: str = ""
    steps: int = 0

    @property
    def ok(self) -> bool:
        """Whether an order was found; what is undecided is not."""
        return self.word == "linearizable"

    def __str__(self) -> str:
        return f"{self.word} after {self.steps} steps\n{self.why}"


# What a plain dict would say: the result, and what is changed.


def _get(state: State, tag: str, key: str) -> Outcome:
    return state[key], {}


def _put(state: State, tag: str, key: str, number: int) -> Outcome:
    return None, {key: (number, tag)}


def _delete(state: State, tag: str, key: str) -> Outcome:
    return state[key] is not None, {key: None}


def _pop(state: State, tag: str, key: str) -> Outcome:
    return state[key], {key: None}


def _add(state: State, tag: str, key: str, number: int) -> Outcome:
    old = state[key]
    return old, {key: ((old[0] if old else 0) + number, tag)}


def _batch(state: State, tag: str, changes: tuple[tuple[str, int | None], ...]) -> Outcome:
    return None, {key: None if number is None else (number, tag) for key, number in changes}


def _move(state: State, tag: str, keys: tuple[str, str], number: int) -> Outcome:
    """Take from one and give to the other, unless there is too little."""
    left, right = (state[key] for key in keys)
    has, had = (left[0] if left else 0), (right[0] if right else 0)
    if has < number:
        return (left, right), {}
    return (left, right), {keys[0]: (has - number, tag), keys[1]: (had + number, tag)}


def _items(state: State, tag: str, prefix: str) -> Outcome:
    shown = ((key, state[key]) for key in sorted(state) if key.startswith(prefix))
    return tuple((key, value) for key, value in shown if value is not None), {}


_KINDS: dict[str, Callable[..., Outcome]] = {
    "get": _get,
    "put": _put,
    "delete": _delete,
    "pop": _pop,
    "add": _add,
    "batch": _batch,
    "move": _move,
    "items": _items,
}
_READING = frozenset({"get", "items"})


def outcome(op: Op, state: State) -> Outcome:
    """What a dict would have told this operation, and what it changes there."""
    return _KINDS[op.kind](state, op.tag, *op.arguments)


def _explains(state: State, op: Op) -> bool:
    return outcome(op, state)[0] == op.result


def keys_of(op: Op, universe: Iterable[str]) -> list[str]:
    """The keys that it reads or writes."""
    first = op.arguments[0]
    if op.kind == "items":
        return [key for key in universe if key.startswith(first)]
    if op.kind == "batch":
        return [key for key, _ in first]
    return list(first) if op.kind == "move" else [first]


def seen_by(op: Op, universe: Iterable[str]) -> dict[str, Value]:
    """What it is known to have found, by key; nothing of what had no end."""
    if op.end is None or op.kind in {"put", "batch"}:
        return {}
    keys, told = keys_of(op, universe), op.result
    if op.kind == "items":
        return dict.fromkeys(keys) | dict(told)  # type: ignore[call-overload, no-any-return]
    if op.kind == "delete":
        return {} if told else {keys[0]: None}
    return dict(zip(keys, told if op.kind == "move" else (told,), strict=True))  # type: ignore[arg-type]


def writes_nothing_to(op: Op, key: str) -> bool:
    """Whether it certainly leaves no value of its own under the key."""
    if op.kind == "batch":
        return all(other != key or number is None for other, number in op.arguments[0])
    return op.kind not in {"put", "add", "move"} or key not in keys_of(op, ())


def check(
    history: Sequence[Op], *, before: Mapping[str, int] | None = None, steps: int = STEPS
) -> Verdict:
    """Look for an order of the history that explains it.

    Args:
        history: All operations, in any sequence, each with a tag of its own.
        before: What the store held before, each with the tag `INITIAL`.
        steps: How many are tried in all.
    """
    state: dict[str, Value] = {key: (n, INITIAL) for key, n in (before or {}).items()}
    universe = sorted({*state, *_named(history)})
    state = dict.fromkeys(universe) | state
    if wrong := _impossible(history, state):
        return Verdict("not linearizable", wrong)
    done = 0
    for keys, ops in _parts(history, universe):
        verdict = _Search(ops, {key: state[key] for key in keys}, steps=steps - done).run()
        done += verdict.steps
        if not verdict.ok:
            return verdict._replace(steps=done)
    return Verdict("linearizable", steps=done)


def _named(history: Iterable[Op]) -> Iterator[str]:
    for op in history:
        if op.kind != "items":
            yield from keys_of(op, ())
        elif op.end is not None:
            yield from (key for key, _ in op.result)  # type: ignore[attr-defined]


def _impossible(history: Sequence[Op], state: State) -> str:
    """What no order can explain: a value that nobody wrote, or that came before it was written."""
    by_tag = {op.tag: op for op in history}
    if len(by_tag) != len(history) or INITIAL in by_tag:
        raise ValueError("each operation needs a tag of its own")
    numbers: dict[tuple[str, str], Value] = {}
    for op in history:
        for key, value in seen_by(op, state).items():
            if op.kind == "items" and not key.startswith(op.arguments[0]):
                return f"{op}\nwas told of {key}, which it did not ask for"
            if value is None or value == state[key]:
                continue
            writer = by_tag.get(value[1])
            if writer is None or writes_nothing_to(writer, key):
                return f"{op}\nfound {value} under {key}, which nobody wrote there"
            if writer is op or op.end is None or writer.start > op.end:
                return f"{op}\nfound {value} under {key}, which came later:\n{writer}"
            if numbers.setdefault((key, value[1]), value) != value:
                return f"{op}\nfound {value} under {key}, somebody else {numbers[key, value[1]]}"
    return ""


def _parts(history: Sequence[Op], universe: Sequence[str]) -> Iterator[tuple[list[str], list[Op]]]:
    """Groups of keys that no operation joins, with the operations on them."""
    root = {key: key for key in universe}

    def find(key: str) -> str:
        while root[key] != key:
            root[key] = key = root[root[key]]
        return key

    for op in history:
        first, *others = keys_of(op, universe) or [""]
        for key in others:
            root[find(key)] = find(first)
    parts: dict[str, tuple[list[str], list[Op]]] = defaultdict(lambda: ([], []))
    for key in universe:
        parts[find(key)][0].append(key)
    for op in history:
        if keys := keys_of(op, universe):
            parts[find(keys[0])][1].append(op)
    yield from parts.values()


class _Needed(NamedTuple):
    """The operations that must have their place, by their start, and those that may have one."""

    ops: list[Op]
    ends: list[float]
    maybe: list[list[Op]]  # by their last moment; of each list all do the same


def _needed(history: Sequence[Op], state: State) -> _Needed:
    """Tell what happened, although its process was killed, from what may have.

    What somebody saw happened, and before that one's end. What nobody saw, where all that was seen
    is known by its tag, explains nothing and can be left out. Those that do the same, and may do it
    until the same time, can be taken by their start.
    """
    seen_before: dict[str, float] = {}
    gone, present = set[str](), set[str]()
    for op in history:
        if op.end is None:
            continue
        for key, value in seen_by(op, state).items():
            if value is None:
                gone.add(key)
            else:
                seen_before[value[1]] = min(op.end, seen_before.get(value[1], inf))
        if op.kind == "delete" and op.result:
            present.add(op.arguments[0])
    leaning = _leaning(history, seen_before)
    must: list[tuple[Op, float]] = []
    maybe: dict[object, list[Op]] = defaultdict(list)
    for op in sorted(history, key=lambda op: op.start):
        keys = set(keys_of(op, state))
        if op.end is not None:
            must.append((op, op.end))
        elif op.tag in seen_before:
            must.append((op, min(op.until, seen_before[op.tag])))
        elif op.kind not in _READING and keys & (
            present | leaning | (gone if _may_remove(op) else set())
        ):
            name = ("none", *keys, op.until) if op.kind in {"delete", "pop"} else op.tag
            maybe[name].append(op)
    by_until = sorted(maybe.values(), key=lambda ops: ops[0].until)
    return _Needed([op for op, _ in must], [end for _, end in must], by_until)


def _uses(op: Op, earlier: Op, universe: Iterable[str]) -> bool:
    """Whether the earlier one had to come before this one, and could not have come later."""
    keys = keys_of(earlier, universe)
    if op.start > earlier.until:
        return True
    is_blind = op.kind in {"put", "batch"} and len(keys) == 1
    return not is_blind and not {*keys}.isdisjoint(keys_of(op, universe))


def _leaning(history: Sequence[Op], seen: Mapping[str, float]) -> set[str]:
    """Keys on which something was seen that builds on what nobody was told of."""
    building = [op for op in history if op.end is None and op.kind in {"add", "move"}]
    found: set[str] = set()
    for _ in building:
        more = [op for op in building if op.tag in seen or found.intersection(keys_of(op, ()))]
        before, found = found, {key for op in more for key in keys_of(op, ())}
        if before == found:
            break
    return found


def _may_remove(op: Op) -> bool:
    if op.kind == "batch":
        return any(number is None for _, number in op.arguments[0])
    return op.kind in {"delete", "pop"} and (op.end is None or bool(op.result))


class _Frame:
    """A place in the search: what led here, the state, and what is left to try.

    What may have happened, and nobody saw by its tag, is of use to who reads the key, and can be
    put off until right before that (of several keys: who touches one), or until its last moment.
    """

    __slots__ = ("choices", "done", "index", "latest", "op", "owed", "state", "used")

    def __init__(self, state: dict[str, Value], done: int, used: tuple[int, ...]) -> None:
        self.state, self.done, self.used = state, done, used
        self.latest = -inf
        self.owed: tuple[Op, ...] = ()
        self.index = -1
        self.op: Op | None = None
        self.choices: Iterator[tuple[int, Op]] = iter(())


class _Search:
    """Looks for an order of the operations on keys that belong together."""

    def __init__(self, history: Sequence[Op], state: dict[str, Value], *, steps: int) -> None:
        self._ops, self._ends, self._maybe = _needed(history, state)
        self._state = state
        self._limit = steps
        self._steps = 0
        count = len(self._ops)
        self._next = [*range(1, count + 1), 0]  # the last one is the head of the list
        self._previous = [count, *range(count)]
        self._seen = [seen_by(op, state) for op in self._ops]
        self._owed = Counter(item for seen in self._seen for item in seen.items())
        self._untils = [ops[0].until for ops in self._maybe]
        everything = [*self._ops, *chain.from_iterable(self._maybe)]
        removing = filter(_may_remove, everything)
        self._removers = Counter(key for op in removing for key in keys_of(op, state))
        self._wanted = {(key, value[1]): value for key, value in self._owed if value is not None}
        self._failed: set[tuple[object, ...]] = set()
        self._deepest: tuple[int, dict[str, Value], list[Op]] = (-1, state, [])

    def run(self) -> Verdict:
        """Search, depth first."""
        frames = [_Frame(self._state, 0, (0,) * len(self._maybe))]
        frames[0].choices = self._choices(frames[0])
        while True:
            if self._next[-1] == len(self._ops):
                return Verdict("linearizable", steps=self._steps)
            if self._steps >= self._limit:
                return Verdict("undecided", self._story(), self._steps)
            frame = frames[-1]
            further = self._further(frame)
            if further is not None:
                further.choices = self._choices(further)
                frames.append(further)
                continue
            self._failed.add(self._key(frame))
            frames.pop()
            if not frames:
                return Verdict("not linearizable", self._story(), self._steps)
            if frame.op is not None:
                self._undo(frame.op, frame.index)

    def _key(self, frame: _Frame) -> tuple[object, ...]:
        first = self._next[-1]
        owed = frozenset(op.tag for op in frame.owed)
        return first, frame.done >> first, frame.used, owed, *frame.state.values()

    def _choices(self, frame: _Frame) -> Iterator[tuple[int, Op]]:
        """What may come next: nothing else that is left ended before it began."""
        first_end, found, at = inf, [], self._next[-1]
        while at < len(self._ops) and self._ops[at].start <= first_end:
            first_end = min(first_end, self._ends[at])
            found.append(at)
            at = self._next[at]
        maybe = [*self._open(frame, first_end)]
        last = min((op.until for _, op in maybe), default=inf)
        for at in found:
            op = self._ops[at]
            if op.start <= last and op.kind in _READING and _explains(frame.state, op):
                return iter([(at, op)])  # no worse now than at any later moment
        if (placed := frame.done.bit_count()) > self._deepest[0]:
            self._deepest = placed, frame.state, [self._ops[at] for at in found]
        found.sort(key=self._ends.__getitem__)
        return iter([*((at, self._ops[at]) for at in found), *maybe])

    def _open(self, frame: _Frame, first_end: float) -> Iterator[tuple[int, Op]]:
        """What may have happened, and may have happened next."""
        for group in range(bisect_left(self._untils, frame.latest), len(self._maybe)):
            ops, used = self._maybe[group], frame.used[group]
            if used < len(ops) and ops[used].start <= first_end:
                yield -1 - group, ops[used]

    def _further(self, frame: _Frame) -> _Frame | None:
        """Take the next choice that explains what was told; None: there is none left."""
        for index, op in frame.choices:
            self._steps += 1
            owed = self._still_owed(frame.owed, op, is_needed=index >= 0)
            if owed is None:
                continue
            told, changes = outcome(op, frame.state)
            if op.end is not None and told != op.result:
                continue
            used = frame.used
            if index < 0:
                used = tuple(n + (g == -1 - index) for g, n in enumerate(used))
            done = frame.done | (1 << index) if index >= 0 else frame.done
            after = _Frame({**frame.state, **changes}, done, used)
            after.index, after.op, after.owed = index, op, owed
            after.latest = max(frame.latest, op.start)
            self._do(op, index)
            if (
                self._is_promising(frame.state, op, changes)
                and self._key(after) not in self._failed
            ):
                return after
            self._undo(op, index)
        return None

    def _still_owed(
        self, owed: tuple[Op, ...], op: Op, *, is_needed: bool
    ) -> tuple[Op, ...] | None:
        """What came earlier and has yet to be of use; None: some of it never will be."""
        if not owed:
            return () if is_needed else (op,)
        left = tuple(earlier for earlier in owed if not _uses(op, earlier, self._state))
        if is_needed:
            return None if left else ()
        keys = {*keys_of(op, self._state)}
        hidden = any(not keys.isdisjoint(keys_of(earlier, self._state)) for earlier in left)
        return None if hidden else (*left, op)

    def _is_promising(self, state: State, op: Op, changes: State) -> bool:
        """Whether what others saw is written as they saw it, and not gone before they see it."""
        for key in keys_of(op, ()) if op.end is None else changes:
            if (wanted := self._wanted.get((key, op.tag))) and changes.get(key) != wanted:
                return False
        for key, new in changes.items():
            old = state[key]
            if new == old or not self._owed[key, old]:
                continue
            if old is not None or not self._removers[key]:
                return False
        return True

    def _do(self, op: Op, at: int) -> None:
        self._count(op, at, by=-1)
        if at >= 0:
            before, after = self._previous[at], self._next[at]
            self._next[before], self._previous[after] = after, before

    def _undo(self, op: Op, at: int) -> None:
        self._count(op, at, by=1)
        if at >= 0:
            self._next[self._previous[at]] = self._previous[self._next[at]] = at

    def _count(self, op: Op, at: int, *, by: int) -> None:
        """Note who has yet to see what, and who may yet remove what."""
        if at >= 0:
            for item in self._seen[at].items():
                self._owed[item] += by
        if _may_remove(op):
            for key in keys_of(op, self._state):
                self._removers[key] += by

    def _story(self) -> str:
        """How far it came, and what could not come next."""
        depth, state, stuck = self._deepest
        lines = [f"{depth} of {len(self._ops)} have a place; then the store holds {state}, and"]
        lines += [f"  {op}" for op in sorted(stuck, key=lambda op: op.end or inf)[:12]]
        return "\n".join(lines)
