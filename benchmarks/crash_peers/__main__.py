"""`python -m benchmarks.crash_peers`: what each peer loses; see README.md of the benchmarks."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.crash_peers.measuring import measure, peers
from benchmarks.crash_peers.page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.crash_peers.measuring import Peer, Result


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the peers that were asked for, and print or write the page."""
    options = _parse(argv)
    chosen = [peer for peer in peers() if _is_chosen(peer, options.only)]
    if not chosen:
        print(f"no peer begins with {', '.join(options.only)}", file=sys.stderr)
        return 2
    results = [result for peer in chosen if (result := _measured(peer)) is not None]
    text = page(results)
    if options.write is None:
        print(text, end="")
    else:
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(text)
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash_peers", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="such as files or sqlite/WAL"
    )
    parser.add_argument("--write", metavar="FILE", help="write the page there")
    return parser.parse_args(argv)


def _is_chosen(peer: Peer, only: Sequence[str]) -> bool:
    return not only or peer.name.startswith(tuple(only))


def _measured(peer: Peer) -> Result | None:
    started = time.monotonic()
    if peer.version is None:
        print(f"{peer.name}: {peer.package} is not installed: left out", file=sys.stderr)
        return None
    result = measure(peer)
    taken = time.monotonic() - started
    words = " ".join(str(verdict.model or "clean") for verdict in (result.whole, result.kept))
    print(f"{peer.name}: {words} ({taken:.1f} s)", file=sys.stderr)
    return result


if __name__ == "__main__":
    sys.exit(main())
