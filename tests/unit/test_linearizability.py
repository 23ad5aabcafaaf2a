"""The checker of histories accepts what a store may do, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from math import inf
from typing import Any

import pytest

from tests.support.budget import scaled
from tests.support.linearizability import INITIAL, Op, Value, check, outcome


def op(
    tag: str, kind: str, *arguments: Any, at: tuple[float, float | None], told: Any = None
) -> Op:
    return Op(tag, kind, arguments, at[0], at[1], told)


PUT_1 = op("w", "put", "a", 1, at=(0, 1))
ONE: Value = (1, "w")


@pytest.mark.parametrize(
    "history",
    [
        [],
        [PUT_1, op("r", "get", "a", at=(2, 3), told=ONE)],
        [PUT_1, op("r", "get", "a", at=(0.5, 3), told=None)],
        [PUT_1, op("r", "get", "a", at=(0.5, 0.7), told=ONE)],
        [PUT_1, op("x", "put", "a", 2, at=(0, 1)), op("r", "get", "a", at=(2, 3), told=ONE)],
        [PUT_1, op("x", "delete", "a", at=(0, None)), op("r", "get", "a", at=(9, 10))],
        [PUT_1, op("x", "put", "a", 2, at=(0, None)), op("r", "get", "a", at=(9, 10), told=ONE)],
        [
            op("x", "put", "a", 2, at=(0, None)),
            op("q", "get", "a", at=(1, 2)),
            op("r", "get", "a", at=(9, 10), told=(2, "x")),
        ],
        [
            op("x", "add", "a", 2, at=(0, None)),
            op("y", "add", "a", 3, at=(5, 6), told=(2, "x")),
            op("z", "pop", "a", at=(7, 8), told=(5, "y")),
            op("r", "items", "", at=(9, 10), told=()),
        ],
        [
            op("b", "batch", (("a", 1), ("b", 1)), at=(0, 9)),
            op("q", "items", "", at=(1, 2), told=()),
            op("r", "items", "", at=(3, 4), told=(("a", (1, "b")), ("b", (1, "b")))),
        ],
        [
            PUT_1,
            op("m", "move", ("a", "b"), 1, at=(2, 3), told=(ONE, None)),
            op("n", "move", ("a", "b"), 1, at=(4, 5), told=((0, "m"), (1, "m"))),
            op("r", "items", "", at=(6, 7), told=(("a", (0, "m")), ("b", (1, "m")))),
        ],
        [op("d", "delete", "a", at=(5, 6), told=True), op("x", "put", "a", 1, at=(0, None))],
    ],
)
def test_history_that_a_dict_explains_is_accepted(history: list[Op]) -> None:
    """One after another, side by side, and with killed processes."""
    assert "linearizable" == check(history).word, check(history)


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(
            [PUT_1, op("r", "get", "a", at=(2, 3), told=None)],
            id="stale: it was missing before",
        ),
        pytest.param(
            [
                PUT_1,
                op("x", "put", "a", 2, at=(2, 3)),
                op("r", "get", "a", at=(4, 5), told=ONE),
            ],
            id="stale: it was another before",
        ),
        pytest.param(
            [
                op("x", "put", "a", 2, at=(0, 9)),
                op("q", "get", "a", at=(1, 2), told=(2, "x")),
                op("r", "get", "a", at=(3, 4), told=None),
            ],
            id="seen, and not there any more",
        ),
        pytest.param(
            [
                op("x", "add", "a", 1, at=(0, 5)),
                op("y", "add", "a", 1, at=(0, 5)),
            ],
            id="lost update: both found nothing",
        ),
        pytest.param(
            [
                PUT_1,
                op("x", "add", "a", 1, at=(2, 5), told=ONE),
                op("r", "get", "a", at=(6, 7), told=ONE),
            ],
            id="lost update: it is not there",
        ),
        pytest.param(
            [
                op("b", "batch", (("a", 1), ("b", 1)), at=(0, 9)),
                op("r", "items", "", at=(1, 2), told=(("a", (1, "b")),)),
            ],
            id="torn: half a transaction in a snapshot",
        ),
        pytest.param(
            [
                op("b", "batch", (("a", 1), ("b", 1)), at=(0, 9)),
                op("q", "get", "a", at=(1, 2), told=(1, "b")),
                op("r", "get", "b", at=(3, 4), told=None),
            ],
            id="torn: one key after the other",
        ),
        pytest.param(
            [
                op("b", "batch", (("a", 1), ("b", 1)), at=(0, None)),
                op("r", "items", "", at=(5, 6), told=(("a", (1, "b")),)),
            ],
            id="torn: half of what a killed process did",
        ),
        pytest.param(
            [
                op("x", "put", "a", 2, at=(0, None)),
                op("q", "get", "a", at=(5, 6), told=(2, "x")),
                op("d", "delete", "a", at=(7, 8), told=True),
                op("r", "get", "a", at=(9, 10), told=(2, "x")),
            ],
            id="resurrected: what a killed process wrote comes back",
        ),
        pytest.param(
            [
                PUT_1,
                op("d", "delete", "a", at=(2, 3), told=True),
                op("r", "get", "a", at=(4, 5), told=ONE),
            ],
            id="resurrected: it was deleted",
        ),
        pytest.param(
            [
                op("x", "put", "a", 2, at=(0, None)),
                op("q", "get", "a", at=(5, 6), told=(2, "x")),
                op("r", "get", "a", at=(7, 8), told=None),
            ],
            id="lost after a crash, when it had been seen",
        ),
        pytest.param([op("r", "get", "a", at=(0, 1), told=(7, "never"))], id="made up"),
        pytest.param([PUT_1, op("r", "get", "a", at=(2, 3), told=(2, "w"))], id="another number"),
        pytest.param([PUT_1, op("r", "get", "b", at=(2, 3), told=ONE)], id="under another key"),
        pytest.param(
            [op("r", "get", "a", at=(0, 1), told=(1, "x")), op("x", "put", "a", 1, at=(2, 3))],
            id="before it was written",
        ),
        pytest.param([op("d", "delete", "a", at=(0, 1), told=True)], id="deleted, never there"),
        pytest.param(
            [PUT_1, op("d", "delete", "a", at=(2, 3), told=False)], id="there, and not deleted"
        ),
        pytest.param(
            [
                op("x", "put", "a", 1, at=(0, None)),
                op("q", "get", "a", at=(5, 6), told=(1, "x")),
                op("r", "get", "a", at=(5, 6), told=(2, "x")),
            ],
            id="a killed process wrote one thing, not two",
        ),
        pytest.param(
            [
                PUT_1,
                op("x", "put", "b", 2, at=(2, 3)),
                op("q", "items", "", at=(4, 5), told=(("b", (2, "x")),)),
            ],
            id="a snapshot without what was there",
        ),
        pytest.param(
            [
                PUT_1,
                op("x", "put", "b", 2, at=(0, 1)),
                op("q", "items", "", at=(0, 1), told=(("b", (2, "x")),)),
                op("r", "items", "", at=(0, 1), told=(("a", ONE),)),
            ],
            id="two snapshots in two orders",
        ),
    ],
)
def test_history_that_no_order_explains_is_refused(history: list[Op]) -> None:
    """Each with its name: stale, lost, torn, resurrected, made up."""
    verdict = check(history)

    assert "not linearizable" == verdict.word
    assert verdict.why


def test_what_was_there_before_is_known() -> None:
    """A value that nobody in the history wrote."""
    found = op("r", "get", "a", at=(0, 1), told=(7, INITIAL))

    assert check([found], before={"a": 7}).ok
    assert not check([found], before={"a": 8}).ok
    assert not check([found]).ok


def test_work_is_bounded() -> None:
    """What takes more steps is undecided, and that is not well."""
    history = [PUT_1, op("r", "get", "a", at=(2, 3), told=ONE)]

    assert "undecided" == check(history, steps=1).word
    assert not check(history, steps=1).ok


def test_tags_are_used_once() -> None:
    """Two operations of one tag cannot be told apart."""
    with pytest.raises(ValueError, match="tag of its own"):
        check([PUT_1, PUT_1])


def simulated(
    dice: random.Random, *, clients: int, count: int, kills: float = 0.1, groups: int = 1
) -> list[Op]:
    """What clients of a correct store are told; now and then one is killed."""
    state: dict[str, Value] = {key: None for group in range(groups) for key in keys_in(group)}
    idle, history, now = [*range(clients)], list[Op](), 0
    begun: list[Op] = []
    applied: list[Op] = []
    while len(history) + len(begun) + len(applied) < count or begun or applied:
        now += 1
        more = len(history) + len(begun) + len(applied) < count
        choice = dice.choice("b" * (more and bool(idle)) + "a" * bool(begun) + "e" * bool(applied))
        if choice == "b":
            client = idle.pop(dice.randrange(len(idle)))
            begun.append(random_op(dice, f"{client}.{now}", now, group=dice.randrange(groups)))
        elif dice.random() < kills:
            dead = (begun if choice == "a" else applied).pop()
            history.append(dead._replace(result=None, until=now))
            idle.append(int(dead.tag.partition(".")[0]))
        elif choice == "a":
            one = begun.pop(dice.randrange(len(begun)))
            told, changes = outcome(one, state)
            state |= changes
            applied.append(one._replace(result=told))
        else:
            one = applied.pop(dice.randrange(len(applied)))
            history.append(one._replace(end=now))
            idle.append(int(one.tag.partition(".")[0]))
    return history


def keys_in(group: int) -> list[str]:
    return [f"{group}/{key}" for key in "abc"]


def random_op(dice: random.Random, tag: str, start: int, *, group: int) -> Op:
    key, other = dice.sample(keys_in(group), 2)
    number = dice.randrange(1, 5)
    arguments: dict[str, tuple[Any, ...]] = {
        "get": (key,),
        "put": (key, number),
        "add": (key, number),
        "delete": (key,),
        "pop": (key,),
        "batch": (((key, number), (other, dice.choice((None, number)))),),
        "move": ((key, other), number),
        "items": (dice.choice((f"{group}/", key)),),
    }
    kind = dice.choice([*arguments, "get", "put", "add"])
    return Op(tag, kind, arguments[kind], start, None)


def mutated(dice: random.Random, history: Sequence[Op]) -> list[Op]:
    """The same with one thing changed: what was told, when it was over, or whether."""
    changed = [*history]
    at = dice.randrange(len(changed))
    one = changed[at]
    alike = [other for other in changed if other.kind == one.kind and other.end is not None]
    if one.end is not None and alike and dice.random() < 0.7:
        told = dice.choice([other.result for other in alike] + [outcome(one, _nothing())[0]])
        changed[at] = one._replace(result=told)
    elif one.end is not None:
        changed[at] = one._replace(end=dice.choice((None, one.start + 1, one.start)))
    else:
        changed[at] = one._replace(until=dice.choice((inf, one.start)))
    return changed


def _nothing() -> Mapping[str, Value]:
    return dict.fromkeys(keys_in(0))


def by_hand(history: Sequence[Op]) -> bool:
    """Try every order of every choice of those that may have happened."""
    ended = [one for one in history if one.end is not None]
    open_ones = [one for one in history if one.end is None]
    for chosen in range(1 << len(open_ones)):
        some = [one for number, one in enumerate(open_ones) if chosen >> number & 1]
        if any(map(_explains, permutations([*ended, *some]))):
            return True
    return False


def _explains(order: Sequence[Op]) -> bool:
    state: dict[str, Value] = dict.fromkeys(keys_in(0))
    for number, one in enumerate(order):
        if any(_last(later) < one.start for later in order[number + 1 :]):
            return False
        told, changes = outcome(one, state)
        if one.end is not None and told != one.result:
            return False
        state |= changes
    return True


def _last(one: Op) -> float:
    return one.until if one.end is None else one.end


def small_histories(count: int) -> Iterator[list[Op]]:
    for seed in range(count):
        dice = random.Random(seed)
        good = simulated(dice, clients=3, count=dice.randrange(2, 7), kills=dice.choice((0, 0.2)))
        if dice.random() < 0.5:
            good = [one._replace(until=inf) for one in good]
        yield good
        yield mutated(dice, good)
        yield mutated(dice, mutated(dice, good))


def test_verdict_is_that_of_all_orders() -> None:
    """Thousands of small histories, good ones and mutated ones, against trying everything."""
    found = {True: 0, False: 0}
    for history in small_histories(scaled(1500)):
        verdict, expected = check(history), by_hand(history)
        assert expected == verdict.ok, f"{verdict}\n" + "\n".join(map(str, history))
        assert verdict.word != "undecided"
        found[expected] += 1

    assert min(found.values()) > scaled(1500) / 20


@pytest.mark.parametrize(("clients", "groups"), [(1, 1), (4, 1), (16, 4), (64, 16)])
def test_long_history_of_many_clients_is_decided(clients: int, groups: int) -> None:
    """Thousands of operations with kills; the work grows with their number, not faster."""
    dice = random.Random(clients)
    history = simulated(dice, clients=clients, count=4000, kills=0.02, groups=groups)
    verdict = check(history)

    assert "linearizable" == verdict.word, verdict
    assert verdict.steps < 40 * len(history)


def stale(one: Op, history: Sequence[Op]) -> Op | None:
    """It is told what the one before the last had left."""
    writers = [other for other in history if other.kind == "put" and other.end is not None]
    older = [w for w in writers if w.arguments[0] == one.arguments[0] and w.end < one.start]  # type: ignore[operator]
    if one.kind != "get" or one.end is None or len(older) < 3:
        return None
    return one._replace(result=(older[0].arguments[1], older[0].tag))


def lost(one: Op, history: Sequence[Op]) -> Op | None:
    """It found what another had found as well, so that one of the two is lost."""
    others = [o for o in history if o.kind == "add" and o.end is not None and o is not one]
    others = [o for o in others if o.arguments[0] == one.arguments[0] and o.result is not None]
    if one.kind != "add" or one.end is None or not others:
        return None
    return one._replace(result=others[-1].result)


def torn(one: Op, history: Sequence[Op]) -> Op | None:
    """A snapshot that has one key of a transaction as it was a long time before."""
    if one.kind != "items" or one.end is None or len(one.result) < 2:  # type: ignore[arg-type]
        return None
    (key, _), *rest = one.result  # type: ignore[misc]
    old = [o for o in history if o.kind == "put" and o.arguments[0] == key and o.end is not None]
    old = [o for o in old if o.end < one.start - 200]  # type: ignore[operator]
    if not old:
        return None
    return one._replace(result=((key, (old[0].arguments[1], old[0].tag)), *rest))


@pytest.mark.parametrize("spoil", [stale, lost, torn])
def test_one_fault_in_a_long_history_is_found(
    spoil: Callable[[Op, Sequence[Op]], Op | None],
) -> None:
    """Among a thousand operations of eight clients, one is told what it cannot be told."""
    for seed in range(scaled(10)):
        history = simulated(random.Random(seed), clients=8, count=1000, kills=0.01)
        places = [at for at, one in enumerate(history) if spoil(one, history) is not None]
        at = random.Random(seed).choice(places)
        history[at] = spoil(history[at], history)  # type: ignore[call-overload]
        verdict = check(history)

        assert "not linearizable" == verdict.word, (history[at], verdict.steps)
