"""The same bank without the transaction: what not to copy.

Each put by itself is durable and atomic. What is lost is what belongs together: two workers
read one balance and both write theirs, and a kill comes between two puts.
`python drive.py --careless` shows it.
"""

from __future__ import annotations

import sys

from bank import Bank, Order
from worker import main


class CarelessBank(Bank):
    """Writes the books entry by entry."""

    def transfer(self, key: str, order: Order) -> bool:
        """Move money, unless anything happens meanwhile."""
        return self._transfer(self.store, key, order)


if __name__ == "__main__":
    sys.exit(main(CarelessBank))
