"""Runs a peer in the current folder: `python -m benchmarks.crash_peers.run files in-place work`."""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.crash_peers.states import LAST


def main(program: str, variant: str, part: str) -> None:
    """`prepare` saves state 0; `work` saves the others and acknowledges each."""
    from holdfast.crash import ack

    save = import_module(f"benchmarks.crash_peers.programs.{program}").saver(variant)
    if part == "prepare":
        save(0)
        return
    for n in range(1, LAST + 1):
        save(n)
        ack(n)


if __name__ == "__main__":
    main(*sys.argv[1:])
