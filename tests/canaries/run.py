"""Runs one side of a canary in the current folder: `python -m tests.canaries.run in_place bad`."""

from __future__ import annotations

import sys
from importlib import import_module

if __name__ == "__main__":
    name, side = sys.argv[1:]
    getattr(import_module(f"tests.canaries.programs.{name}"), side)()
