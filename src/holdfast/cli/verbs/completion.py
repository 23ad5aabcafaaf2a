"""`holdfast completion`: static completions, so that TAB starts no Python."""

from __future__ import annotations

from holdfast.cli.exits import OK
from holdfast.cli.streams import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from holdfast.cli.parser import Namespace, Parser

COMMAND = False
USAGE = "SHELL"
SUMMARY = "Print completions for a shell."
ABOUT = """
The text is static: TAB starts no Python. Verbs, options and file names are
completed.
"""
EXAMPLES = """
source <(holdfast completion bash)
holdfast completion zsh > ~/.zfunc/_holdfast
holdfast completion fish > ~/.config/fish/completions/holdfast.fish
"""

SHELLS: Final = ("bash", "zsh", "fish")


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish")


def run(args: Namespace) -> int:
    """Print the file that is part of the package."""
    from pkgutil import get_data

    text = get_data("holdfast.cli", f"completions/holdfast.{args.shell}")
    show((text or b"").decode(), end="")
    return OK
