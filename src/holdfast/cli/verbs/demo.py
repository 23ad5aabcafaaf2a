"""`holdfast demo`: what is promised, shown on the user's own disk."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser

COMMAND = True
USAGE = "[-- OPTION...]"
SUMMARY = "Show what holdfast does, on your own disk, in under 30 seconds."
ABOUT = """
Edits one file from several processes, kills writers, fills a disk, and cuts the
power at every point of one replacement on a simulated disk. Ends with a table
of what was tried and what was lost; exit code 1 if anything was. After `--` may
follow the folder to try it in, and `--sample FILE`, a TOML file of yours.
"""
EXAMPLES = """
holdfast demo
holdfast demo -- /mnt/data --sample settings.toml
"""


def configure(parser: Parser) -> None:
    """There is nothing to choose."""


def run(args: Namespace) -> int:
    """Run it."""
    from holdfast.demo import main

    return main(args.command)
