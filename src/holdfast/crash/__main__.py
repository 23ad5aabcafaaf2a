"""`python -m holdfast.crash` is the command `holdfast crash`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    # By name: the command line is a floor above, and nothing else down here knows of it.
    sys.argv.insert(1, "crash")
    sys.exit(import_module("holdfast.cli").main())
