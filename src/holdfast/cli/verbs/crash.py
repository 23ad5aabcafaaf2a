"""`holdfast crash`: what a power cut or a kill would destroy in what a program writes."""

from __future__ import annotations

import sys

from holdfast.cli import exits
from holdfast.cli.exits import NO, Failure, note
from holdfast.cli.output import print_json, wants_color
from holdfast.cli.parser import add_color, add_json
from holdfast.cli.streams import show
from holdfast.crash.values import duration, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser
    from holdfast.crash.command import Settings
    from holdfast.crash.explorer import Report

COMMAND = True
USAGE = "[OPTION...] --check FUNCTION [--] CMD [ARG...]\n[OPTION...] --check FUNCTION --from FILE"
SUMMARY = "Find what a power cut or a kill would destroy in what CMD writes, and where."
ABOUT = """
CMD runs once, in DIR, and all that it and its children do there is recorded.
Then every state that a crash may leave is made as a folder, and FUNCTION, called
with that folder and the list of what CMD had acknowledged, raises if a promise
is broken. What was in DIR before counts as durable. Without --root CMD runs in a
new, empty folder.

CMD acknowledges by holdfast.crash.ack(TEXT), by printing lines, or by opening
the path /hf-mark:TEXT. LINE is split into words; no shell sees it. The output
of CMD goes to standard error, the report to standard output.

Exit code 0: no state that was tried is bad; 1: bugs were found, or --exhaustive
and not every state was tried; 2: wrong usage, no call met a --fault, or
no state was tried (raise --budget); 65: CMD
fails by itself, or cannot be recorded; 69: recording is forbidden here; 124:
CMD did not end.

How to, step by step: docs/how-to/crash-testing.md
"""
EXAMPLES = """
holdfast crash --check check.py:holds -- python app.py
holdfast crash --root data --ack stdout --check-cmd ./holds.sh -- ./app -1
holdfast crash --check check.py:holds --setup 'cp /srv/seed .' -- node app.js
holdfast crash --check check.py:holds --replay 0a1b2c3d -- python app.py
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    _add_program(parser)
    _add_check(parser)
    _add_states(parser)
    _add_results(parser)


def _add_program(parser: Parser) -> None:
    add = parser.add_argument
    add("--root", metavar="DIR", help="the folder to record; CMD starts in it")
    add("--cwd", metavar="DIR", help="where CMD starts instead")
    add("--setup", metavar="LINE", help="run this in the folder first, unrecorded")
    add("--ack", choices=("path", "stdout"), default="path", metavar="HOW",
        help="path (default): opening /hf-mark:TEXT acknowledges; stdout: so does each whole line "
        "that CMD prints")  # fmt: skip
    add("--fault", action="append", type=fault, metavar="CALL:DO[:N]", dest="faults",
        help="the Nth CALL fails with errno DO, is cut (short:BYTES), or kills (kill)")  # fmt: skip
    add("--timeout", type=duration, metavar="TIME", default=60.0, dest="timeout_s",
        help="kill CMD after this time (default: 60s)")  # fmt: skip
    add("--any-exit", action="store_true",
        help="crash what CMD did even if it fails by itself")  # fmt: skip
    add("--recorder", choices=("auto", "seccomp", "strace"), default="auto", metavar="NAME",
        help="auto, seccomp or strace")  # fmt: skip
    add("--save", metavar="FILE", help="keep the recording")
    add("--from", metavar="FILE", dest="source", help="crash a recording that was kept")


def _add_check(parser: Parser) -> None:
    add = parser.add_argument
    add("--check", metavar="FUNCTION",
        help="pkg.mod:fn or file.py:fn; fn(dir, acked) raises on a broken promise")  # fmt: skip
    add("--check-cmd", metavar="LINE",
        help="a command in any language: run with the folder and a file of acknowledgements; "
        "exit code 0 holds")  # fmt: skip
    add("--check-timeout", type=duration, metavar="TIME", default=10.0, dest="check_timeout_s",
        help="a check that takes longer hangs (default: 10s)")  # fmt: skip
    add("--fast", action="store_true",
        help="call FUNCTION in this process: faster, but it must leave nothing behind")  # fmt: skip
    add("--recover", metavar="FUNCTION",
        help="fn(dir) that recovers: it is recorded and crashed as well")  # fmt: skip
    add("--recover-cmd", metavar="LINE", help="the same by a command that is run in the folder")


def _add_states(parser: Parser) -> None:
    add = parser.add_argument
    add("--model", choices=("linux", "posix", "prefix"), default="linux", metavar="NAME",
        help="prefix (kill alone), linux (default) or posix (anything unsynced)")  # fmt: skip
    add("--sector", choices=("512", "4096"), default="4096", metavar="BYTES",
        help="what survives as one piece: 4096 (default) or 512")  # fmt: skip
    add("--garbage", action="store_true", help="lost new blocks hold old bytes of the disk")
    add("--atomic-across", action="store_true",
        help="a rename from one folder to another is one change")  # fmt: skip
    add("--budget", type=duration, metavar="TIME", default=30.0, dest="budget_s",
        help="explore so long at most (default: 30s)")  # fmt: skip
    add("--seed", type=_count, metavar="N", default=0, help="of the samples (default: 0)")
    add("--limit", type=_positive, metavar="N", default=4096,
        help="combinations tried at one point before sampling (default: 4096)")  # fmt: skip
    add("--exhaustive", action="store_true",
        help="exit code 1 also if not every state that the model allows was tried")  # fmt: skip


def _add_results(parser: Parser) -> None:
    add = parser.add_argument
    add("--replay", metavar="ID", help="check the one state of a finding, and keep it")
    add("--keep", metavar="DIR", help="keep the smallest state of each finding in DIR")
    add_json(parser)
    add_color(parser)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise ValueError(f"{text!r} is no number")
    return int(text)


def _positive(text: str) -> int:
    number = _count(text)
    if not number:
        raise ValueError("0 is too little: at least 1 must be tried")
    return number


def run(args: Namespace) -> int:
    """Record, explore, print.

    Raises:
        Failure: There is nothing to crash; nothing was run.
    """
    if not args.command and args.source is None:
        raise Failure("give a command to run. See holdfast crash --help.", exits.USAGE)
    from holdfast.cli.signals import Interrupted
    from holdfast.crash.command import is_short
    from holdfast.crash.command import run as crash
    from holdfast.crash.progress import Progress

    settings = _settings(args)
    progress = Progress(budget_s=settings.budget_s)
    try:
        report = crash(settings, progress=progress)
    except (KeyboardInterrupt, Interrupted):
        progress.end()
        note("crash", f"interrupted: {progress.tried:,} states tried, nothing concluded")
        raise
    finally:
        progress.end()
    code = NO if is_short(settings, report) else report.exit_code
    _print(report, args, settings, code=code)
    return code


def _settings(args: Namespace) -> Settings:
    from holdfast.crash.command import Settings

    given = {name: getattr(args, name) for name in Settings._fields if hasattr(args, name)}
    given["command"] = tuple(args.command)
    given["faults"] = tuple(args.faults or ())
    given["sector_bytes"] = int(args.sector)
    return Settings(**given)


def _print(report: Report, args: Namespace, settings: Settings, *, code: int) -> None:
    if args.as_json:
        print_json({**report.as_json(), "exit_code": code})
        return
    from holdfast.crash.command import replay_words
    from holdfast.crash.progress import columns

    color = wants_color(sys.stdout, args.color)
    show(report.text(color=color, width=columns(), program=replay_words(settings)), end="")
