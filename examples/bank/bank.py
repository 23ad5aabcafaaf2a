"""A bank that keeps its books in a Store, which any number of processes have open.

    account/NAME                {"owner": "Ada", "balance": 900, "entries": 2}
    statement/NAME/000000002    {"transfer": KEY, "other": NAME, "amount": -300, "balance": 900}
    transfer/KEY                {"source": NAME, "target": NAME, "amount": 300}

Amounts are whole cents. Money enters and leaves through the account `cash`, the only one that may
be below zero: so the sum over all accounts is zero, at any moment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    import holdfast

CASH = "cash"
_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


class Order(NamedTuple):
    """What a transfer is to do."""

    source: str
    target: str
    amount: int


class Refused(Exception):
    """The bank does not do it, and nothing has changed. `status` is that of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Bank:
    """Accounts, transfers and statements. Whatever a method has returned survives a power cut."""

    def __init__(self, store: holdfast.Store[Any]) -> None:
        self.store = store

    def open_account(self, name: str, owner: str) -> bool:
        """Open an account without money; False if there is one of that name."""
        _check_name(name)
        with self.store.transaction() as tx:
            if f"account/{name}" in tx:
                return False
            tx[f"account/{name}"] = {"owner": owner, "balance": 0, "entries": 0}
        return True

    def transfer(self, key: str, order: Order) -> bool:
        """Move money, once a key: False if this very transfer was made before.

        Who has got no answer asks again with the same key.
        """
        with self.store.transaction() as tx:
            return self._transfer(tx, key, order)

    def account(self, name: str) -> dict[str, Any]:
        """The account: owner, balance and number of entries."""
        return _found(self.store.get(f"account/{name}"), f"account {name}")

    def made(self, key: str) -> dict[str, Any]:
        """The transfer that was made with this key."""
        return _found(self.store.get(f"transfer/{key}"), f"transfer {key}")

    def statement(self, name: str) -> list[dict[str, Any]]:
        """The entries of an account, the oldest first, all as of one moment."""
        self.account(name)
        return list(self.store.values(prefix=f"statement/{name}/"))

    def _transfer(self, books: MutableMapping[str, Any], key: str, order: Order) -> bool:
        _check_name(key)
        _check_order(order)
        made = books.get(f"transfer/{key}")
        if made is not None:
            if made != order._asdict():
                raise Refused(409, f"transfer {key} was made before, and was another one")
            return False
        _enter(books, key, name=order.source, other=order.target, amount=-order.amount)
        _enter(books, key, name=order.target, other=order.source, amount=order.amount)
        books[f"transfer/{key}"] = order._asdict()
        return True


def _enter(
    books: MutableMapping[str, Any], key: str, *, name: str, other: str, amount: int
) -> None:
    """Change a balance, and write the entry that tells why."""
    account = _found(books.get(f"account/{name}"), f"account {name}")
    account["balance"] += amount
    account["entries"] += 1
    if account["balance"] < 0 and name != CASH:
        raise Refused(402, f"account {name} has not got {-amount}")
    books[f"account/{name}"] = account
    books[f"statement/{name}/{account['entries']:09d}"] = {
        "transfer": key,
        "other": other,
        "amount": amount,
        "balance": account["balance"],
    }


def _found(value: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if value is None:
        raise Refused(404, f"no {what}")
    return value


def _check_name(name: str) -> None:
    """A name is part of a key: a slash would put it under somebody else's prefix."""
    if not _NAME.fullmatch(name):
        raise Refused(400, "a name has 1 to 64 of A-Z, a-z, 0-9 and -")


def _check_order(order: Order) -> None:
    if order.amount < 1:
        raise Refused(400, "an amount is at least 1")
    if order.source == order.target:
        raise Refused(400, "source and target are one account")
