"""What a verb declares, the quick way to read plain words by it, and the options that verbs share.

Most command lines are a file and a few words: those are read here. What holds an option or a
mistake is left to `full_parser`; what is declared once means the same both ways.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Protocol
else:
    from holdfast.light_typing import Protocol

__all__ = [
    "Namespace",
    "Parser",
    "VerbModule",
    "add_color",
    "add_create",
    "add_json",
    "add_no_sync",
    "add_parse",
    "add_quiet",
    "add_verbosity",
    "add_wait",
    "exit_code",
    "seconds",
]

_ABSENT: Final = {"store_true": False, "store_false": True}
"""What an option is when it is not given, by what it does."""


class VerbModule(Protocol):
    """What each module of `holdfast.cli.verbs` has."""

    USAGE: str
    """What follows the verb; one line a form."""
    SUMMARY: str
    ABOUT: str
    EXAMPLES: str
    COMMAND: bool
    """Whether a command may follow, after `--` or in its place."""

    def configure(self, parser: Parser) -> None:
        """Add the arguments."""
        ...

    def run(self, args: Namespace) -> int:
        """Do it; return the exit code."""
        ...


class Namespace:
    """What was given: an attribute for each argument that the verb declares."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def trim_folder(self) -> None:
        """Take the slash from the end of DIR, which a shell's completion puts there."""
        folder = self.__dict__.get("folder")
        if isinstance(folder, str) and folder.endswith("/"):
            self.__dict__["folder"] = folder.rstrip("/") or "/"

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


class Parser:
    """Reads the arguments of one verb."""

    def __init__(self, verb: str, module: VerbModule) -> None:
        self.verb = verb
        self.module = module
        self.declared: list[tuple[tuple[str, ...], dict[str, Any]]] = []
        module.configure(self)

    def add_argument(self, *names: str, **options: Any) -> None:
        """Declare an argument, in the words of argparse."""
        self.declared.append((names, options))

    def read_plain(self, arguments: list[str]) -> Namespace | None:
        """Parse, if no option is among the words; None where it takes more to tell.

        With `COMMAND`, `args.command` is what follows the file, or `--` behind it.
        """
        values = self._values(arguments)
        return None if values is None else Namespace(**values)

    def _values(self, arguments: list[str]) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        words = arguments
        places = [item for item in self.declared if not item[0][0].startswith("-")]
        if self.module.COMMAND:
            words, command = arguments[: len(places)], arguments[len(places) :]
            if command and command[0].startswith("-") and command.pop(0) != "--":
                return None
            values["command"] = command
        if any(word.startswith("-") for word in words):
            return None
        for names, options in self.declared:
            if names[0].startswith("-"):
                if options.get("required"):
                    return None
                values.setdefault(_destination(names, options), _absent(options))
        return values if _place(words, places, values) else None


def _destination(names: tuple[str, ...], options: dict[str, Any]) -> str:
    """The attribute of an option."""
    long = next((name for name in names if name.startswith("--")), names[0])
    dest: str = options.get("dest") or long.lstrip("-").replace("-", "_")
    return dest


def _absent(options: dict[str, Any]) -> Any:
    return options.get("default", _ABSENT.get(options.get("action", "store")))


def _place(
    words: list[str],
    places: list[tuple[tuple[str, ...], dict[str, Any]]],
    values: dict[str, Any],
) -> bool:
    """Give each place its words; False if one is left over or missing, or must be looked at."""
    rest = list(words)
    for (name, *_), options in places:
        nargs = options.get("nargs")
        if options.keys() & {"type", "choices"} or nargs not in {None, "?", "+", "*"}:
            return False
        if nargs == "*":
            values[name], rest = rest, []
        elif not rest:
            if nargs != "?":
                return False
            values[name] = options.get("default")
        elif nargs == "+":
            values[name], rest = rest, []
        else:
            values[name] = rest.pop(0)
    return not rest


def seconds(text: str) -> float:
    """A number of seconds, not negative.

    Raises:
        ValueError: anything else.
    """
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{text!r} is not a number of seconds")
    return value


def exit_code(text: str) -> int:
    """A number that a process can exit with.

    Raises:
        ValueError: anything else.
    """
    if not (text.isdecimal() and text.isascii() and len(text) <= 3 and int(text) <= 255):
        raise ValueError(f"{text!r} is not a number from 0 to 255")
    return int(text)


def add_wait(parser: Parser, *aliases: str) -> None:
    """`-w SECS` and `-E N`."""
    parser.add_argument(
        "-w", "--wait", *aliases, type=seconds, metavar="SECS",
        help="wait at most so long for the lock (default: as long as it takes)",
    )  # fmt: skip
    parser.add_argument(
        "-E", "--conflict-exit-code", type=exit_code, metavar="N", default=75, dest="busy_code",
        help="exit with N, not 75, when the lock is busy or somebody was faster",
    )  # fmt: skip


def add_json(parser: Parser, *, lines: bool = False) -> None:
    """`--json`, and `--jsonl` where there are many results."""
    parser.add_argument(
        "--json", action="store_true", dest="as_json",
        help="print one JSON document; an error is printed as one too",
    )  # fmt: skip
    if lines:
        parser.add_argument(
            "--jsonl",
            action="store_true",
            help="print one JSON document a line, one a result",
        )


def add_color(parser: Parser) -> None:
    """`--color WHEN`."""
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", metavar="WHEN",
        help="auto, always or never; NO_COLOR and CLICOLOR_FORCE are obeyed",
    )  # fmt: skip


def add_create(parser: Parser) -> None:
    """`--create`."""
    parser.add_argument("--create", action="store_true", help="make the file when it is missing")


def add_no_sync(parser: Parser) -> None:
    """`--no-sync`."""
    parser.add_argument(
        "--no-sync",
        action="store_true",
        help="do not wait for the disk: whole, but not durable",
    )


def add_parse(parser: Parser) -> None:
    """`--parse FORMAT`."""
    parser.add_argument(
        "--parse", choices=("json", "toml", "yaml"), metavar="FORMAT",
        help="json, toml or yaml (default: by the suffix of the file)",
    )  # fmt: skip


def add_quiet(parser: Parser) -> None:
    """`-q`."""
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="say nothing when the answer is no"
    )


def add_verbosity(parser: Parser) -> None:
    """`-q` and `-v`."""
    add_quiet(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="say what was done")
