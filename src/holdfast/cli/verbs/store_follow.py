"""`holdfast store follow`: the changes of a store as they come."""

from __future__ import annotations

from holdfast.cli.exits import OK
from holdfast.cli.files import missing, named_file
from holdfast.cli.logs import comes, number
from holdfast.cli.output import as_json
from holdfast.cli.parser import seconds
from holdfast.cli.stores import codec_in, open_store, value_facts
from holdfast.cli.streams import show_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.state.store_following import Commit

COMMAND = False
USAGE = "[OPTION...] DIR"
SUMMARY = "Print the changes of the store in DIR as JSON lines, and wait for more."
ABOUT = """
A commit is one line, {"sequence": N, "changed": {KEY: VALUE...}, "deleted":
[KEY...]}, printed as soon as it is durable; a transaction is one commit. Bytes
are {"base64": TEXT}. Begins with what comes from now on, or with --from N: for a
reader that keeps the sequence that it has dealt with, which misses none then. A
DIR that is not there yet is waited for. Goes on until a signal ends it.

Exit code 66: N is no longer in the log, which a checkpoint has cut. The state is
in `holdfast store export`.
"""
EXAMPLES = """
holdfast store follow state.store | jq --unbuffered -r '.deleted[]'
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="the folder of the store")
    add("--from", type=number, dest="start", metavar="N",
        help="begin with this commit (default: the next one)")  # fmt: skip
    add("--timeout", type=seconds, dest="timeout_s", metavar="SECS",
        help="end when nothing has come for so long")  # fmt: skip


def run(args: Namespace) -> int:
    """Wait, and print.

    Raises:
        FileNotFoundError: with --timeout, there was no store when it was over.
    """
    path, start = named_file(args.folder), args.start
    if not _is_there(path):
        if not comes(path, args.timeout_s, verb="store follow", is_there=_is_there):
            raise missing(path)
        start = start or 1
    with open_store(path) as store:
        for commit in store.follow(start, timeout_s=args.timeout_s):
            show_now(as_json(_facts(commit)))
    return OK


def _is_there(path: str) -> bool:
    try:
        return codec_in(path) is not None
    except FileNotFoundError:
        return False


def _facts(commit: Commit[Any]) -> dict[str, Any]:
    changed = {
        key: value_facts(value) if isinstance(value, bytes) else value
        for key, value in commit.changed.items()
    }
    return {"sequence": commit.sequence, "changed": changed, "deleted": [*commit.deleted]}
