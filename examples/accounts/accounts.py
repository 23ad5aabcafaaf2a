"""A file of accounts of a fixed size, which any number of processes have open.

A record is changed whole or not at all; a transfer changes two, and a crash may come between. So a
transfer is written down in three steps, each a durable change of one record, under both locks:

1. the payer loses the amount, and its record says what is on its way to whom;
2. the payee gets it, and its record says which payment that was;
3. the payer's record says that nothing is on its way any more.

Whoever next needs one of the two accounts finds out where it stopped, and goes on from there. Step
2 is taken once, because the payee remembers the last payment that it got; before that is
overwritten, the payer must have taken step 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import holdfast

LAYOUT = {
    "balance": "q",
    "payments": "Q",  # how many it has made; the last one is this number
    "is_paying": "?",  # the last one may not have arrived
    "payee": "Q",
    "amount": "q",
    "payer": "Q",  # whose payment it got last
    "number": "Q",  # and which one of that payer's; 0: none
}
BLANK: dict[str, Any] = dict.fromkeys(LAYOUT, 0) | {"is_paying": False}


class Refused(Exception):
    """The transfer is not made, and nothing has changed."""


class Accounts:
    """Transfers between records. Whatever `transfer` has returned survives a power cut."""

    def __init__(self, records: holdfast.RecordFile) -> None:
        self.records = records

    def transfer(self, payer: int, payee: int, amount: int) -> int:
        """Move the amount, and return the number of the payment, which counts for each payer.

        Raises:
            Refused: there is not enough, or nothing to move; both accounts are as they were.
        """
        if payer == payee or amount < 1:
            raise Refused("a payment is at least 1, to another account")
        needed = {payer, payee}
        while True:
            with self.records.lock(*needed):
                missing = self._entangled(needed) - needed
                if not missing:
                    self._finish(needed)
                    return self._pay(payer, payee, amount)
            needed |= missing

    def settle(self) -> int:
        """Finish what the dead have begun; how many payments that were."""
        found = 0
        for number, account in enumerate(self.records):
            if account["is_paying"]:
                found += 1
                self._settle_one({number})
        return found

    def total(self) -> int:
        """All money, that on its way included; what is asked of accounts at rest."""
        accounts = list(self.records)
        money: int = sum(account["balance"] for account in accounts)
        for number, account in enumerate(accounts):
            if account["is_paying"] and not _has_got(accounts[account["payee"]], number, account):
                money += account["amount"]
        return money

    def _settle_one(self, needed: set[int]) -> None:
        while True:
            with self.records.lock(*needed):
                missing = self._entangled(needed) - needed
                if not missing:
                    return self._finish(needed)
            needed |= missing

    def _entangled(self, numbers: Iterable[int]) -> set[int]:
        """These, and all whose unfinished payments must be looked at before these change."""
        found: set[int] = set()
        todo = set(numbers)
        while todo:
            number = todo.pop()
            found.add(number)
            todo |= set(self._next_to(number)) - found
        return found

    def _next_to(self, number: int) -> Iterator[int]:
        account = self.records[number]
        if account["is_paying"]:
            yield account["payee"]
        if account["number"]:
            payer = self.records[account["payer"]]
            if payer["is_paying"] and _has_got(account, account["payer"], payer):
                yield account["payer"]

    def _finish(self, numbers: Iterable[int]) -> None:
        """Take the missing steps; those first that only need the third."""
        paying = [n for n in numbers if self.records[n]["is_paying"]]
        paying.sort(key=lambda n: not self._has_arrived(n))
        for payer in paying:
            if not self._has_arrived(payer):
                self._arrive(payer)
            self.records.update(payer, {"is_paying": False})

    def _has_arrived(self, payer: int) -> bool:
        account = self.records[payer]
        return _has_got(self.records[account["payee"]], payer, account)

    def _pay(self, payer: int, payee: int, amount: int) -> int:
        account = self.records[payer]
        if account["balance"] < amount:
            raise Refused(f"account {payer} has not got {amount}")
        number: int = account["payments"] + 1
        self.records.update(
            payer,
            {
                "balance": account["balance"] - amount,
                "payments": number,
                "is_paying": True,
                "payee": payee,
                "amount": amount,
            },
        )
        self._arrive(payer)
        self.records.update(payer, {"is_paying": False})
        return number

    def _arrive(self, payer: int) -> None:
        account = self.records[payer]
        payee = self.records[account["payee"]]
        self.records.update(
            account["payee"],
            {
                "balance": payee["balance"] + account["amount"],
                "payer": payer,
                "number": account["payments"],
            },
        )


def _has_got(payee: dict[str, Any], payer: int, account: dict[str, Any]) -> bool:
    """Whether the last payment of this payer is the one that the payee remembers."""
    return (payee["payer"], payee["number"]) == (payer, account["payments"])
