"""`holdfast set`: values of a document, changed under the lock, everything else kept."""

from __future__ import annotations

from holdfast.cli import exits
from holdfast.cli.changing import change
from holdfast.cli.exits import Failure
from holdfast.cli.kinds import is_list, is_table
from holdfast.cli.parser import add_no_sync, add_parse, add_verbosity, add_wait
from holdfast.cli.streams import show_now
from holdfast.cli.values import (
    MISSING,
    alike,
    assign,
    find,
    like,
    read_key,
    read_value,
    split_pair,
    text_of,
)
from holdfast.formats.keypath import KeyPath, format_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.cli.parser import Namespace, Parser
    from holdfast.cli.values import Pair

COMMAND = False
USAGE = "[OPTION...] FILE KEY VALUE\n[OPTION...] FILE KEY=VALUE...\n--incr N [OPTION...] FILE KEY"
SUMMARY = "Change values of a JSON, TOML or YAML file."
ABOUT = """
The file is read, changed and replaced under its lock, so that no update of
others is lost; comments, order, layout and all other values stay. VALUE is
taken as JSON if it parses, else as text; a date or time stays one. A missing
file is made, and so are tables on the way to KEY; `-` as the last part of KEY
appends to a list. The KEY `.` is the whole document. A plain value takes the
place of a whole table or list only with -f. A VALUE that begins with a dash is
written KEY=-x, or after `--`. All changes of one call are made, or none.
"""
EXAMPLES = """
holdfast set settings.toml server.port 8080
holdfast set settings.toml server.host=0.0.0.0 server.tls=true
holdfast set --str state.json build 0042
holdfast set --incr 1 state.json jobs.done
holdfast set --if status=idle state.json status=running || echo 'not idle'
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file")
    add("words", metavar="KEY VALUE", nargs="+", help="what to change, as above")
    for kind, what in (("str", "text"), ("int", "a whole number"), ("json", "JSON")):
        add(
            f"--{kind}",
            action="store_const",
            const=kind,
            dest="kind",
            help=f"VALUE is {what}",
        )
    add(
        "--incr",
        type=_number,
        metavar="N",
        help="add N to the number at KEY, and print the sum",
    )
    add("--default", metavar="VALUE", help="what --incr starts from (default 0)")
    add(
        "--if", action="append", metavar="KEY=VALUE", dest="conditions", default=[],
        help="change only if KEY is VALUE, else exit 1; may be given again",
    )  # fmt: skip
    add(
        "--existing",
        action="store_true",
        help="make no file and no key; exit 1 if KEY is missing",
    )
    add(
        "-f",
        "--force",
        action="store_true",
        help="a plain VALUE may replace a whole table or list",
    )
    add_no_sync(parser)
    add_parse(parser)
    add_wait(parser)
    add_verbosity(parser)


def _number(text: str) -> int | float:
    value = read_value(text)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{text!r} is not a number")  # noqa: TRY004 (as a converter does)
    return value


def run(args: Namespace) -> int:
    """Change the document under its lock."""
    request = _Request(args)
    change(args, request.apply, default=MISSING if args.existing else {}, verb="set")
    if request.sum is not None:
        _print_sum(args, request.sum)
    return exits.OK


def _print_sum(args: Namespace, number: float) -> None:
    try:
        show_now(text_of(number))
    except OSError as error:
        error.add_note(f"{args.file} was changed: the sum is {text_of(number)}.")
        raise


class _Request:
    """What is asked for; read before the lock is taken, so that a mistake waits for nobody."""

    def __init__(self, args: Namespace) -> None:
        self._args = args
        self._conditions = [_pair(word, "auto") for word in args.conditions]
        self._pairs = [] if args.incr is not None else _pairs(args.words, args.kind or "auto")
        self._counter = None if args.incr is None else _single_key(args.words)
        self._start = read_value(args.default) if args.default is not None else 0
        self.sum: int | float | None = None

    def apply(self, root: Any) -> Any:
        """Return the changed document.

        Raises:
            Failure: a condition is false, or a value is in the way; nothing is changed.
        """
        file = self._args.file
        for path, wanted in self._conditions:
            found = find(root, path)
            if not alike(found, like(found, wanted)):
                refusal = f"{file}: {format_path(path)} is not {text_of(wanted)}"
                raise Failure(refusal, exits.NO, path=file)
        pairs = self._pairs
        if self._counter is not None:
            pairs = [(self._counter, self._add(root, self._counter))]
        for path, value in pairs:
            old = find(root, path)
            if self._args.existing and old is MISSING:
                refusal = f"{file}: there is no {format_path(path)}"
                raise Failure(refusal, exits.NO, path=file)
            self._refuse_loss(path, old, value)
            root = assign(root, path, value if self._args.kind else like(old, value))
        return root

    def _refuse_loss(self, path: KeyPath, old: Any, value: Any) -> None:
        """A slip in KEY, or in the quotes of VALUE, must not cost a table and all that is in it."""
        if self._args.force or not _is_container(old) or not old or _is_container(value):
            return
        file, key = self._args.file, format_path(path)
        what, remedy = "table", "Name a key in it"
        if is_list(old):
            places = [format_path((*path, place)) for place in (0, "-")]
            what, remedy = "list", f"Name a place in it ({', '.join(places)})"
        raise Failure(
            f"{file}: {key} is a {what}, and {text_of(value)} would replace all of it. "
            f"It is unchanged. {remedy}, or say --force.",
            exits.BAD_DATA,
            path=file,
        )

    def _add(self, root: Any, path: KeyPath) -> int | float:
        number = find(root, path)
        if number is MISSING:
            number = self._start
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise Failure(
                f"{format_path(path)} is {text_of(number)}, not a number",
                exits.BAD_DATA,
            )
        total: int | float = number + self._args.incr
        self.sum = total
        return total


def _is_container(value: Any) -> bool:
    return is_table(value) or is_list(value)


def _pairs(words: list[str], kind: str) -> list[Pair]:
    if len(words) == 2 and split_pair(words[0]) is None:
        return [(read_key(words[0]), read_value(words[1], kind))]
    return [_pair(word, kind) for word in words]


def _pair(word: str, kind: str) -> Pair:
    sides = split_pair(word)
    if sides is None:
        raise Failure(f"{word!r} is not KEY=VALUE. See holdfast set --help.", exits.USAGE)
    return read_key(sides[0]), read_value(sides[1], kind)


def _single_key(words: list[str]) -> KeyPath:
    if len(words) != 1:
        raise Failure("--incr takes one KEY and no VALUE. See holdfast set --help.", exits.USAGE)
    return read_key(words[0])
