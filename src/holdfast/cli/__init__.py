"""The command line: `holdfast VERB`.

Only what the verb needs is imported: the general help and `--version` load no parser at all, a verb
loads its own module and builds its own parser. One place (`exits`) turns errors into exit codes.
"""

from __future__ import annotations

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser, VerbModule

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: What follows the program's name. None: this is the program itself, so `sys.argv` is
            read, the signal handlers of the command line are installed, and the process ends
            here; with arguments given, no handler is touched.
    """
    if argv is not None:
        return _answer(list(argv), is_program=False)
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from holdfast.cli import streams

        streams.mend()
    code = _answer(sys.argv[1:], is_program=True)
    # All is flushed and closed. Taking the interpreter apart would be a tenth of a command's time.
    os._exit(code)


def _answer(arguments: list[str], *, is_program: bool) -> int:
    try:
        code = _without_parser(arguments)
    except OSError as error:  # of standard output
        return _lost(arguments, error)
    if code is not None:
        return _flushed(arguments, code)
    from holdfast.cli import signals

    if is_program:
        _collect_rarely()
        signals.install()
        _print_anything()
    try:
        code = _flushed(arguments, _run_verb(arguments[0], arguments[1:]))
        signals.finish()
    except signals.Interrupted as stop:
        return 128 + stop.signum
    except KeyboardInterrupt:
        return 130
    return code


def _flushed(arguments: list[str], code: int) -> int:
    """The exit code, when all that was printed has arrived."""
    try:
        sys.stdout.flush()
    except OSError as error:
        lost = _lost(arguments, error)
        return code or lost
    return code


def _lost(arguments: list[str], error: OSError) -> int:
    """Say that not all could be printed."""
    from holdfast.cli import exits, streams

    streams.drop_output()
    if isinstance(error, BrokenPipeError):  # the reader has seen enough
        return exits.code_of(error)
    error.filename = streams.OUTPUT
    return exits.report(arguments[0] if arguments else "--help", error, None)


def _collect_rarely() -> None:
    """Loading modules makes thousands of objects, which are looked through for cycles in vain."""
    import gc

    gc.set_threshold(50_000)


def _print_anything() -> None:
    """Let text that cannot be encoded, such as a lone surrogate, be printed as an escape."""
    stream: object = sys.stdout
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def _without_parser(arguments: list[str]) -> int | None:
    """Answer what needs no verb; None where one is named. `help VERB` becomes `VERB --help`."""
    from holdfast.cli.verbs import GROUPS, HELP, VERBS

    first = arguments[0] if arguments else "--help"
    if first == "help" and len(arguments) > 1:
        arguments[:] = [*arguments[1:3], "--help"]
        first = arguments[0]
    if first in GROUPS:
        return _group(arguments, GROUPS[first])
    if first in VERBS:
        return None
    if first in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if first in ("-V", "--version"):
        from holdfast import __version__

        print("holdfast", __version__)
        return 0
    from holdfast.cli.streams import say

    say(_unknown(first, list(VERBS)))
    return 2


def _group(arguments: list[str], seconds: list[str]) -> int | None:
    """Make a verb of two words one; answer where the second is none."""
    first, *rest = arguments
    second = rest[0] if rest else "--help"
    if second in seconds:
        arguments[:2] = [f"{first} {second}"]
        return None
    if second in ("-h", "--help", "help"):
        from holdfast.cli.verbs import HELP

        print(f"usage: holdfast {first} VERB ...\n       holdfast {first} VERB --help\n")
        own = [line for line in HELP.splitlines() if line.startswith(f"  {first} ")]
        print("\n".join(own))
        return 0
    from holdfast.cli.streams import say

    say(_unknown(second, seconds, of=f"holdfast {first}"))
    return 2


def _unknown(word: str, verbs: list[str], *, of: str = "holdfast") -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, verbs, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"{of} --help lists them."
    return f"{of}: there is no verb {word!r}. {hint}"


def _run_verb(verb: str, arguments: list[str]) -> int:
    from holdfast.cli import exits
    from holdfast.cli.parser import Parser

    module = _load(verb)
    args = None
    try:
        parser = Parser(verb, module)
        args = parser.read_plain(arguments) or _read_fully(parser, arguments)
        args.trim_folder()
        return module.run(args)
    except SystemExit as stop:  # --help
        return stop.code if isinstance(stop.code, int) else 0
    except Exception as error:
        return exits.report(verb, error, args or _unread(arguments))


def _unread(arguments: list[str]) -> Namespace:
    """What is known of a command line with a mistake in it: whether it asked for JSON."""
    from holdfast.cli.parser import Namespace

    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return Namespace(as_json="--json" in own)


def _read_fully(parser: Parser, arguments: list[str]) -> Namespace:
    from holdfast.cli.full_parser import FullParser

    return FullParser(parser).read(arguments)


def _load(verb: str) -> VerbModule:
    from importlib import import_module

    from holdfast.cli.verbs import VERBS

    module: Any = import_module(f"holdfast.cli.verbs.{VERBS[verb]}")
    loaded: VerbModule = module
    return loaded
