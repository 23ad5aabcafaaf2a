"""The invariant: money is neither made nor lost, and each acknowledged transfer is there once.

Pure functions over the books, as a mapping; each returns sentences, none if all is well.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from bank import CASH, Order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def violations(books: Mapping[str, Any], acknowledged: Mapping[str, Order]) -> list[str]:
    """Everything that is wrong with the books, given the transfers that somebody was told of."""
    return [
        *out_of_balance(books),
        *_statements(books),
        *_transfers(books),
        *_receipts(books, acknowledged),
    ]


def out_of_balance(books: Mapping[str, Any]) -> Iterator[str]:
    """The sum over all accounts is zero, and none but cash is below it."""
    balances = {name: value["balance"] for name, value in _under(books, "account/")}
    if total := sum(balances.values()):
        yield f"the sum over all accounts is {total}, not 0"
    for name, balance in balances.items():
        if balance < 0 and name != CASH:
            yield f"account {name} is at {balance}"


def _statements(books: Mapping[str, Any]) -> Iterator[str]:
    """The entries of an account are numbered without a gap, and add up to its balance."""
    numbers = {name: 0 for name, _ in _under(books, "account/")}
    balances = dict(numbers)
    for place, entry in _under(books, "statement/"):
        name, _, number = place.partition("/")
        expected = (numbers.get(name, 0) + 1, balances.get(name, 0) + entry["amount"])
        if (int(number), entry["balance"]) != expected:
            yield f"entry {number} of {name} does not follow on the one before"
        numbers[name], balances[name] = int(number), entry["balance"]
    for name, entries in numbers.items():
        account = books.get(f"account/{name}", {})
        if (account.get("entries"), account.get("balance")) != (entries, balances[name]):
            yield f"account {name} and its statement tell two stories"


def _transfers(books: Mapping[str, Any]) -> Iterator[str]:
    """Each transfer has one entry in each of its two accounts, and there is no other entry."""
    entries = Counter(
        (entry["transfer"], place.partition("/")[0], entry["amount"])
        for place, entry in _under(books, "statement/")
    )
    for key, order in _under(books, "transfer/"):
        for side in ((order["source"], -order["amount"]), (order["target"], order["amount"])):
            if (count := entries.pop((key, *side), 0)) != 1:
                yield f"transfer {key} is booked {count} times on {side[0]}"
    for key, name, amount in entries:
        yield f"{amount} was booked on {name} for {key}, which is no transfer"


def _receipts(books: Mapping[str, Any], acknowledged: Mapping[str, Order]) -> Iterator[str]:
    """What was acknowledged is there, as it was acknowledged."""
    for key, order in acknowledged.items():
        if (found := books.get(f"transfer/{key}")) != order._asdict():
            yield f"transfer {key} was acknowledged as {order}, and found as {found}"


def _under(books: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The entries whose keys begin with the prefix, in order of the rest of the key."""
    found = (key for key in books if key.startswith(prefix))
    return ((key.removeprefix(prefix), books[key]) for key in sorted(found))
