"""A short day at the bank, for `holdfast crash`: each line that it prints is an acknowledgement.

    holdfast crash --check power_cut.py:holds --ack stdout -- python power_cut.py

With `--careless` behind it the day is that of the bank without transactions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import holdfast
from audit import violations
from bank import CASH, Bank, Order
from careless import CarelessBank

_DAY = {
    "deposit": Order(CASH, "ada", 100),
    "rent": Order("ada", "bob", 70),
    "gift": Order("bob", "ada", 5),
}


def main(kind: type[Bank]) -> None:
    """Open two accounts, and make the transfers of the day."""
    with holdfast.Store("books") as store:
        bank = kind(store)
        for name in (CASH, "ada", "bob"):
            bank.open_account(name, name.title())
        for key, order in _DAY.items():
            bank.transfer(key, order)
            print(key, flush=True)
        store.checkpoint()


def holds(folder: str, acknowledged: list[str]) -> None:
    """Audit the books in this folder, given the lines that were printed by then.

    Raises:
        RuntimeError: they are wrong.
    """
    with holdfast.Store(Path(folder, "books")) as store:
        wrong = violations(dict(store.snapshot()), {key: _DAY[key] for key in acknowledged})
    if wrong:
        raise RuntimeError("; ".join(wrong))


if __name__ == "__main__":
    main(CarelessBank if "--careless" in sys.argv else Bank)
