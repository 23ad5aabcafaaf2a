"""Texts made from the parsers: the reference page and the completions of three shells.

    python -m holdfast.cli.texts reference > docs/reference/cli.md
    python -m holdfast.cli.texts bash      > src/holdfast/cli/completions/holdfast.bash

They are kept as files, so that TAB starts no Python; a test compares them with what this makes.
"""

from __future__ import annotations

import sys
from importlib import import_module

from holdfast.cli.exits import MEANINGS
from holdfast.cli.full_parser import FullParser
from holdfast.cli.parser import Parser
from holdfast.cli.verbs import GROUPS, HELP, VERBS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from typing import Any, Final

    from holdfast.cli.parser import VerbModule

__all__ = ["TEXTS", "module_of", "parsers"]

_MADE: Final = "made by `python -m holdfast.cli.texts {}` from the parsers"


def parsers() -> dict[str, FullParser]:
    """The parser of each verb."""
    return {verb: FullParser(Parser(verb, module_of(name))) for verb, name in VERBS.items()}


def module_of(name: str) -> VerbModule:
    """The module of a verb."""
    module: Any = import_module(f"holdfast.cli.verbs.{name}")
    verb: VerbModule = module
    return verb


def reference() -> Iterator[str]:
    """The lines of the reference page."""
    yield from ("# The command line", "", f"<!-- {_MADE.format('reference')} -->", "")
    yield from ("```text", *HELP.splitlines(), "```", "")
    for verb, parser in parsers().items():
        yield from (f"## holdfast {verb}", "", "```text")
        yield from parser.format_help().splitlines()
        yield from ("```", "")
    yield from _CONVENTIONS.strip().splitlines()
    yield from ("", "| exit code | meaning |", "| ---: | --- |")
    yield from (f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    yield "| 128 + n | ended by signal n before anything was changed, or CMD was |"


_CONVENTIONS = """
## Conventions

- Results go to standard output, messages to standard error, each message on one line.
- What is a table on a terminal is tab-separated in a pipe, without titles and never cut;
  `--json` prints one document, `--jsonl` one a line. With `--json` an error is also printed as
  `{"error": {"code", "errno", "path", "message"}}`.
- `--` ends the options; what follows it is CMD. `-` is standard input where a file is read.
- `NO_COLOR`, `CLICOLOR_FORCE` and `--color` decide about colour.
- SIGINT, SIGTERM and SIGHUP undo everything (exit codes 130, 143, 129) until the new contents
  are complete. From there on the replacement is finished, and the exit code says how it went.
- `log append` and `records append` end between two syncs: what they had read whole is appended, and
  they say how much.
  `store import` leaves whole batches. What only reads ends at once.
- While CMD runs, these signals are passed on to it. A broken pipe ends with SIGPIPE.
- Output that cannot be printed is exit code 74; the message says so if a file was changed before.

## Exit codes
"""


def bash() -> Iterator[str]:
    """The lines of the completion for bash."""
    yield from (
        f"# bash completion for holdfast: {_MADE.format('bash')}",
        "_holdfast() {",
    )
    yield '    local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=""'
    yield "    local verb=${COMP_WORDS[1]}"
    yield "    COMPREPLY=()"
    yield "    if (( COMP_CWORD == 1 )); then"
    yield f'        words="{" ".join([*_first_words(), "help", "--help", "--version"])}"'
    for first, seconds in GROUPS.items():
        yield f"    elif (( COMP_CWORD == 2 )) && [[ $previous == {first} ]]; then"
        yield f'        words="{" ".join(seconds)}"'
    yield '    elif [[ $previous == "--" ]]; then'
    yield '        COMPREPLY=( $(compgen -c -- "$cur") ); return'
    yield "    else"
    yield f'        case $verb in {"|".join(GROUPS)}) verb="$verb ${{COMP_WORDS[2]}}" ;; esac'
    yield '        case "$verb $previous" in'
    for verb, parser in parsers().items():
        for action in _with_choices(parser):
            patterns = "|".join(f'"{verb} {n}"' for n in action.option_strings or [verb])
            yield f'            {patterns}) words="{_choices(action)}" ;;'
    yield from (
        "        esac",
        "        [[ -z $words && $cur == -* ]] && case $verb in",
    )
    for verb, parser in parsers().items():
        names = " ".join(name for a in parser.shown for name in a.option_strings)
        yield f'            {_word(verb)}) words="{names}" ;;'
    yield from ("        esac", "    fi")
    yield '    [[ -n $words ]] && COMPREPLY=( $(compgen -W "$words" -- "$cur") )'
    yield from ("}", "complete -o bashdefault -o default -F _holdfast holdfast")


def zsh() -> Iterator[str]:
    """The lines of the completion for zsh."""
    yield from (
        "#compdef holdfast",
        f"# zsh completion for holdfast: {_MADE.format('zsh')}",
        "",
    )
    yield from ("_holdfast() {", "    local -a verbs; local state line", "    verbs=(")
    for word, summary in _first_words().items():
        yield f"        {_quoted(f'{word}:{summary}')}"
    yield from ("    )", "    _arguments -C '1:verb:->verb' '*::argument:->argument'")
    yield from (
        "    case $state in",
        "    verb) _describe verb verbs ;;",
        "    argument)",
    )
    for first, seconds in GROUPS.items():
        yield f"        if [[ $words[1] == {first} ]] && (( CURRENT == 2 )); then"
        yield f"            compadd {' '.join(seconds)}; return"
        yield "        fi"
    yield "        local verb=$words[1]"
    yield f'        case $verb in {"|".join(GROUPS)}) verb="$verb $words[2]" ;; esac'
    yield "        case $verb in"
    for verb, parser in parsers().items():
        yield f"        {_word(verb)}) _arguments -S \\"
        for action in parser.shown:
            yield from (f"            {_quoted(spec)} \\" for spec in _zsh_specs(action))
        rest = "*::command:_normal" if parser.module.COMMAND else "*:file:_files"
        yield f"            {_quoted(rest)} ;;"
    yield from ("        esac", "    esac", "}", "", '_holdfast "$@"')


def _zsh_specs(action: argparse.Action) -> Iterator[str]:
    text = (action.help or "").replace("[", r"\[").replace("]", r"\]").replace(":", r"\:")
    for name in action.option_strings:
        yield f"{name}[{text}]" + ("" if action.nargs == 0 else f":{_value(action)}")


def _value(action: argparse.Action) -> str:
    if action.choices:
        return f"{action.metavar}:({_choices(action)})"
    return f"{action.metavar}:{'_files' if action.metavar == 'NAME' else ' '}"


def fish() -> Iterator[str]:
    """The lines of the completion for fish."""
    yield f"# fish completion for holdfast: {_MADE.format('fish')}"
    for word, summary in _first_words().items():
        yield f"complete -c holdfast -n __fish_use_subcommand -f -a {word} -d {_quoted(summary)}"
    for verb, parser in parsers().items():
        first, _, second = verb.partition(" ")
        if second:
            others = " ".join(GROUPS[first])
            seen = f"{_fish_seen(first)}; and not {_fish_seen(others)}"
            text = _quoted(_summary(parser))
            yield f"complete -c holdfast -n {_quoted(seen)} -f -a {second} -d {text}"
    for verb, parser in parsers().items():
        seen = _quoted("; and ".join(_fish_seen(word) for word in verb.split()))
        for action in parser.shown:
            if action.option_strings or action.choices:
                yield f"complete -c holdfast -n {seen} {' '.join(_fish_words(action))}"


def _fish_seen(words: str) -> str:
    return f"__fish_seen_subcommand_from {words}"


def _fish_words(action: argparse.Action) -> Iterator[str]:
    for name in action.option_strings:
        yield f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
    if action.choices:
        yield f"-x -a {_quoted(_choices(action))}"
    elif action.nargs != 0:
        yield "-r"
    yield f"-d {_quoted(action.help or '')}"


def _first_words() -> dict[str, str]:
    """The first word of each verb, with what it does: several things, where there is a second."""
    found: dict[str, str] = {}
    for verb, parser in parsers().items():
        first, _, second = verb.partition(" ")
        found[first] = ", ".join(GROUPS[first]) if second else _summary(parser)
    return found


def _word(verb: str) -> str:
    """A verb as a pattern of a shell."""
    return f'"{verb}"' if " " in verb else verb


def _summary(parser: FullParser) -> str:
    return parser.module.SUMMARY.rstrip(".")


def _with_choices(parser: FullParser) -> Iterable[argparse.Action]:
    return (action for action in parser.shown if action.choices)


def _choices(action: argparse.Action) -> str:
    return " ".join(str(choice) for choice in action.choices or ())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


TEXTS = {"reference": reference, "bash": bash, "zsh": zsh, "fish": fish}

if __name__ == "__main__":
    sys.stdout.write("\n".join(TEXTS[sys.argv[1]]()) + "\n")
