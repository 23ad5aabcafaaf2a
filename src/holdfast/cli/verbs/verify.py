"""`holdfast verify`: whether what was acknowledged is still there, whole."""

from __future__ import annotations

from holdfast.cli.exits import BAD_DATA, OK
from holdfast.cli.files import named_path
from holdfast.cli.output import print_json, print_rows
from holdfast.cli.parser import add_color, add_json
from holdfast.cli.progress import Telling
from holdfast.cli.recognition import kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.primitives.check_report import CheckReport

COMMAND = False
USAGE = "[OPTION...] PATH"
SUMMARY = "Read all of PATH and say whether it is damaged."
ABOUT = """
PATH is the folder of a log, store or journal, a log of lines (.log, .jsonl,
.ndjson), a document (.json, .toml, .yaml), a file of records or a file that was
patched (PATH.journal lies beside it); which of them, is found by looking.
Changes nothing and may run beside writers. Takes no lock, but for a moment that of
a record of which a copy is not whole.

A torn end, a torn checkpoint that nothing depends on, a hole and a leftover are
what a crash leaves of writes that nobody was told of; they are listed, and are
no damage. Exit code 65: damaged.
"""
EXAMPLES = """
holdfast verify events && cp -r events backup
holdfast verify --json events | jq .findings
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "path",
        metavar="PATH",
        help="a log, store, journal, file of records, log of lines or document",
    )
    add_json(parser)
    add_color(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="answer by the exit code alone")


def run(args: Namespace) -> int:
    """Check, and print the report."""
    path = named_path(args.path)
    kind = kind_of(path)
    with Telling("verify", f"reading {path} ({kind.name})", quiet=args.quiet):
        report = kind.check(path)
    if args.as_json:
        print_json(report.as_dict())
    elif not args.quiet:
        print_rows(list(_rows(report)), ("FACT", "VALUE"), color=args.color)
    return OK if report.ok else BAD_DATA


def _rows(report: CheckReport) -> Iterator[tuple[str, str]]:
    yield "path", report.path
    yield "kind", report.kind
    yield "records", str(report.records)
    yield "size_bytes", str(report.size_bytes)
    yield "verdict", "ok" if report.ok else "damaged"
    for finding in report.findings:
        yield finding.kind, finding.message
