"""A worker: random transfers until it is killed; it tells each one that was made.

A line that is told is `PAYER NUMBER`: this account has made its payment of this number.
"""

from __future__ import annotations

import sys
from random import Random

import holdfast
from accounts import Accounts, Refused


def main(path: str, told: str, seed: str) -> None:
    """Pay, and tell."""
    dice = Random(seed)
    with holdfast.RecordFile(path) as records, holdfast.LineLog(told, sync="never") as log:
        accounts = Accounts(records)
        busy = dice.sample(range(len(records)), min(len(records), 50))  # so that they meet
        while True:
            payer, payee = dice.sample(busy if dice.random() < 0.5 else range(len(records)), 2)
            try:
                number = accounts.transfer(payer, payee, dice.randint(1, 30))
            except Refused:
                continue
            log.append(f"{payer} {number}")


if __name__ == "__main__":
    main(*sys.argv[1:])
