"""Which blocks survive only together with those written before them (R12 of `model`).

What goes to the disk is a page as it is in memory, so of the writes to one block those that survive
are the first so many. Such items make a *chain*: who loses one of it loses all behind it. Used by
`variants` and `membership`.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from holdfast.vfs.micro import Block, Shrink, ZeroTail

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.vfs.micro import Item

__all__ = ["Chain", "chains_of", "tails_by_count", "without_gaps", "without_tails"]

Chain: TypeAlias = list[int]
"""The numbers of items, in their order."""


def chains_of(items: Sequence[Item], block_bytes: int) -> list[Chain]:
    """Return the chains of more than one item.

    A cut of the file ends them all. What is durable or was lost by a failed sync is in none.
    """
    chains: list[Chain] = []
    of_block: dict[int, Chain] = {}
    for number, item in enumerate(items):
        micro = item.micro
        if isinstance(micro, Block):
            if item.loose and not item.lost:
                block = micro.offset // block_bytes
                if block not in of_block:
                    of_block[block] = []
                    chains.append(of_block[block])
                of_block[block].append(number)
        elif isinstance(micro, Shrink | ZeroTail):
            of_block.clear()
    return [chain for chain in chains if len(chain) > 1]


def without_tails(chains: Sequence[Chain], count: int) -> Iterator[tuple[int, ...]]:
    """Yield each choice of so many items that takes chains from their ends, sorted."""
    room = [*reversed(list(accumulate(map(len, reversed(chains))))), 0]

    def choose(start: int, left: int) -> Iterator[tuple[int, ...]]:
        if left == 0:
            yield ()
        for number in range(start, len(chains) if left else 0):
            if room[number] < left:
                return
            chain = chains[number]
            for lost in range(1, min(left, len(chain)) + 1):
                for rest in choose(number + 1, left - lost):
                    yield (*chain[-lost:], *rest)

    return (tuple(sorted(chosen)) for chosen in choose(0, count))


def tails_by_count(chains: Sequence[Chain]) -> list[list[tuple[int, ...]]]:
    """Return what `without_tails` yields for each number of items, all at once: for few items."""
    found: list[list[tuple[int, ...]]] = [[()]]
    for chain in chains:
        longer: list[list[tuple[int, ...]]] = [[] for _ in range(len(found) + len(chain))]
        for lost in range(len(chain) + 1):
            tail = tuple(chain[len(chain) - lost :])
            for count, some in enumerate(found):
                longer[count + lost] += [one + tail for one in some]
        found = longer
    return [sorted(tuple(sorted(one)) for one in some) for some in found]


def without_gaps(chains: Sequence[Chain], dropped: set[int], *, keep: bool) -> None:
    """Close gaps in chains: drop what is behind one, or (`keep`) keep what is before."""
    for chain in chains:
        lost = [number in dropped for number in chain]
        if keep:
            first = len(chain) - lost[::-1].index(False) if False in lost else 0
        else:
            first = lost.index(True) if True in lost else len(chain)
        dropped.difference_update(chain[:first])
        dropped.update(chain[first:])
