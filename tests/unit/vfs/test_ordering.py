"""Which blocks survive only together with those before them."""

from __future__ import annotations

from itertools import combinations

import pytest

from holdfast.vfs.micro import Block, Item, Micro, Shrink, Size, ZeroTail
from holdfast.vfs.ordering import chains_of, tails_by_count, without_gaps, without_tails


def block(offset: int, *, size: int = 2) -> Micro:
    """A write inside one block."""
    return Block(0, 2, offset, b"x" * size, 0)


def items(*micros: Micro) -> list[Item]:
    """Items that a crash may take."""
    return [Item(micro, order) for order, micro in enumerate(micros)]


def test_writes_to_one_block_are_a_chain() -> None:
    """Those to other blocks, and sizes between them, are not in it."""
    some = items(block(0), block(4096), block(9), Size(0, 2, 5000), block(4094), block(9000))
    assert [[0, 2, 4]] == chains_of(some, 4096)
    assert [[0, 2]] == chains_of(some, 512)


@pytest.mark.parametrize("cut", [Shrink(0, 2, 1), ZeroTail(0, 2, 1, 4096)])
def test_a_cut_ends_every_chain(cut) -> None:
    """What comes after it is bound to nothing before it, whether it survives or not."""
    some = items(block(0), block(0), cut, block(0), block(0))
    assert [[0, 1], [3, 4]] == chains_of(some, 4096)
    assert [[3, 4]] == chains_of(items(block(0), block(4096), cut, block(0), block(0)), 4096)


def test_what_is_durable_or_was_lost_by_a_failed_sync_is_in_no_chain() -> None:
    """The former cannot be lost; the latter is bound to nothing."""
    some = items(block(0), block(0), block(0), block(0))
    some[0].lost = True
    some[1].loose = False
    assert [[2, 3]] == chains_of(some, 4096)
    some[2].lost = True
    assert [] == chains_of(some, 4096)


def test_choices_take_chains_from_their_ends() -> None:
    """Of each size all, each once, sorted, and no others."""
    chains = [[0, 3, 4], [1], [2, 5]]
    for count in range(8):
        right = [
            some
            for some in combinations(range(6), count)
            if all(
                late in some
                for one in chains
                for early, late in combinations(one, 2)
                if early in some
            )
        ]
        assert right == sorted(without_tails(chains, count))
        assert right == (tails_by_count(chains)[count] if count < 7 else [])


def test_one_long_chain_is_no_search() -> None:
    """Each number of losses has one choice, found at once."""
    chain = list(range(2000))
    assert [(1999,)] == list(without_tails([chain], 1))
    assert [tuple(range(1000, 2000))] == list(without_tails([chain], 1000))


def test_gaps_are_closed_in_two_ways() -> None:
    """By losing what is behind one, or by keeping what is before what is kept."""
    chains = [[0, 2, 4], [1, 3]]
    more, less, all_of_it = {2, 5}, {2, 5}, {0, 1, 2, 3, 4, 5}
    without_gaps(chains, more, keep=False)
    without_gaps(chains, less, keep=True)
    without_gaps(chains, all_of_it, keep=True)
    assert [{2, 4, 5}, {5}, {0, 1, 2, 3, 4, 5}] == [more, less, all_of_it]
