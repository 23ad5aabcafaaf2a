"""The whole parser of a verb: options, mistakes and help, by argparse.

Loaded only when a command line is not made of plain words: argparse takes a tenth of what a whole
command may take.
"""

from __future__ import annotations

import argparse
import re
from itertools import islice

from holdfast.cli.exits import USAGE, Failure
from holdfast.cli.parser import Namespace
from holdfast.cli.streams import show_now

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final, NoReturn

    from holdfast.cli.parser import Parser

__all__ = ["FullParser", "label"]

_WIDTH: Final = 79
_INDENT: Final = 24
_NEGATIVE: Final = r"-\.?\d"
"""What is no option but a value, such as -1e3; argparse itself knows no exponents."""


class FullParser(argparse.ArgumentParser):
    """Reads the arguments of one verb; a mistake is one line and exit code 2."""

    def __init__(self, parser: Parser) -> None:
        self.shown: list[argparse.Action] = []
        # Without a width argparse asks for that of the terminal, and imports shutil to do so.
        super().__init__(
            prog=f"holdfast {parser.verb}",
            add_help=False,
            allow_abbrev=False,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, width=_WIDTH),
        )
        self.module = parser.module
        self._negative_number_matcher = re.compile(_NEGATIVE)
        for names, options in parser.declared:
            self.add_argument(*names, **options)
        self.add_argument("-h", "--help", action="help", help="show this help")

    def add_argument(self, *names: Any, **options: Any) -> argparse.Action:
        """Add an argument and remember it for the help."""
        if "type" in options:
            options = {**options, "type": _explained(options["type"])}
        action = super().add_argument(*names, **options)
        self.shown.append(action)
        return action

    def read(self, arguments: list[str]) -> Namespace:
        """Parse; with `COMMAND`, `args.command` is what follows the file, or `--` behind it."""
        self._refuse_bare_count(arguments)
        if not self.module.COMMAND:
            return self.parse_args(self._options_first(arguments), Namespace())
        own, command = self._split(arguments)
        args = self.parse_args(own, Namespace())
        args.__dict__["command"] = command
        return args

    def _options_first(self, arguments: list[str]) -> list[str]:
        """The same words, the options before the others: they may stand anywhere.

        At an option argparse ends the arguments before it, and takes one that may be left out for
        left out: what comes behind the option would be too much.
        """
        options: list[str] = []
        others: list[str] = []
        words = iter(arguments)
        for word in words:
            if word == "--":
                others += (word, *words)
            elif len(word) < 2 or word[0] != "-" or re.match(_NEGATIVE, word):
                others.append(word)
            else:
                options.append(word)
                if self._takes_next(word):
                    options += islice(words, 1)
        return options + others

    def _refuse_bare_count(self, arguments: list[str]) -> None:
        """Where `-n` takes a number, say so to who writes `-2`, as head(1) and tail(1) allow."""
        if not self._takes_next("-n"):
            return
        before = ""
        for word in arguments:
            if word == "--":
                return
            is_value = before.startswith("-") and self._takes_next(before)
            if re.fullmatch(r"-\d+", word) and not is_value:
                self.error(f"there is no {word}: write -n {word[1:]}")
            before = word

    def _split(self, arguments: list[str]) -> tuple[list[str], list[str]]:
        """What is this verb's own, and the command: `--` means something up to there alone."""
        files = declared = sum(not action.option_strings for action in self.shown)
        at = end = 0
        while at < len(arguments):
            word = arguments[at]
            if word == "--":
                return self._split_at_dashes(arguments, at, files)
            if word.startswith("-") and (word != "-" or not files):
                at += 2 if self._takes_next(word) else 1
            elif files:
                files -= 1
                at += 1
                end = at
            else:
                self._refuse_misplaced(arguments[end:at] if declared else [])
                return arguments[:at], arguments[at:]
        return arguments, []

    def _split_at_dashes(
        self, arguments: list[str], at: int, files: int
    ) -> tuple[list[str], list[str]]:
        """Here `--` precedes the command, or the file, which may begin with a dash then."""
        if not files:
            return arguments[:at], arguments[at + 1 :]
        end = at + 1 + files
        command = arguments[end:]
        return arguments[:end], command[1:] if command[:1] == ["--"] else command

    def _takes_next(self, word: str) -> bool:
        """Whether the word after this option is its value."""
        valued = {
            name for action in self.shown for name in action.option_strings if action.nargs != 0
        }
        if word.startswith("--"):
            return word in valued
        for place, letter in enumerate(word[1:], 2):
            if f"-{letter}" in valued:
                return place == len(word)
        return False

    def _refuse_misplaced(self, options: list[str]) -> None:
        if options:
            self.error(f"put {options[0]} before the file, or -- before the command")

    def error(self, message: str) -> NoReturn:
        """Raise it; argparse would print the usage and exit.

        Raises:
            Failure: always, with the exit code of wrong usage.
        """
        raise Failure(f"{message}. See {self.prog} --help.", USAGE)

    def print_help(self, file: object = None) -> None:
        """Print the help; argparse would say nothing when it cannot be printed."""
        del file
        show_now(self.format_help(), end="")

    def format_help(self) -> str:
        """The same text with every version of Python, at most 79 columns wide."""
        return "\n".join(self._help_lines()) + "\n"

    def _help_lines(self) -> Iterator[str]:
        forms = self.module.USAGE.splitlines()
        for number, form in enumerate(forms):
            yield f"{'      ' if number else 'usage:'} {self.prog} {form}"
        yield ""
        yield self.module.SUMMARY
        yield ""
        yield from _paragraphs(self.module.ABOUT)
        for title, is_option in (("arguments", False), ("options", True)):
            actions = [a for a in self.shown if bool(a.option_strings) is is_option]
            if actions:
                yield from ("", f"{title}:")
                for action in actions:
                    yield from _entry(label(action), action.help or "")
        yield from ("", "examples:")
        yield from (f"  {line}".rstrip() for line in self.module.EXAMPLES.strip().splitlines())


def label(action: argparse.Action) -> str:
    """How an argument is called in the help: `-w, --wait SECS`."""
    if not action.option_strings:
        return str(action.metavar or action.dest)
    names = ", ".join(action.option_strings)
    if action.option_strings[0].startswith("--"):
        names = f"    {names}"
    return names if action.nargs == 0 else f"{names} {action.metavar or action.dest.upper()}"


def _explained(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """The converter, whose own words are shown for a value that it refuses."""

    def explained(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return explained


def _paragraphs(text: str) -> Iterator[str]:
    from textwrap import wrap

    for number, paragraph in enumerate(text.strip().split("\n\n")):
        if number:
            yield ""
        yield from wrap(paragraph, _WIDTH)


def _entry(name: str, text: str) -> Iterator[str]:
    from textwrap import wrap

    lines = wrap(text, _WIDTH - _INDENT)
    head = f"  {name}"
    if len(head) > _INDENT - 2:
        yield head
        head = ""
    yield f"{head:<{_INDENT}}{lines[0]}"
    yield from (" " * _INDENT + line for line in lines[1:])
