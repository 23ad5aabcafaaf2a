"""`holdfast edit`: a file through a command or an editor, replaced only if all went well."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing

from holdfast.cli import exits, signals
from holdfast.cli.exits import Failure, note
from holdfast.cli.files import codec_of, missing, open_register, require_file, wrote
from holdfast.cli.parser import (
    add_color,
    add_create,
    add_no_sync,
    add_parse,
    add_verbosity,
    add_wait,
)
from holdfast.cli.streams import say, show, show_now
from holdfast.cli.waiting import telling
from holdfast.errors import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from holdfast.cli.children import Ended
    from holdfast.cli.editor import Copy
    from holdfast.cli.parser import Namespace, Parser
    from holdfast.state.file_place import FilePlace
    from holdfast.state.file_register import FileRegister
    from holdfast.state.register import Content
else:
    from holdfast.light_typing import NamedTuple

COMMAND = True
USAGE = "[OPTION...] FILE -- CMD [ARG...]\n-i [OPTION...] FILE"
SUMMARY = "Replace FILE by what CMD makes of it, only if CMD succeeds."
ABOUT = """
CMD reads the present contents on standard input and prints the new ones. FILE
stays as it is, to the byte, if CMD fails, prints nothing, or prints something
that does not parse as JSON, TOML or YAML where the suffix promises that. The
lock that `holdfast set` and the library use is held from the reading to the
writing, so no update is lost; what somebody without the lock saves meanwhile is
noticed, and wins (exit code 75). The exit code is that of CMD, which must not
change FILE by holdfast itself: it would wait for the lock that is held for it.
"""
EXAMPLES = """
holdfast edit state.json -- jq '.users += 1'
holdfast edit --diff --dry-run hosts -- sed 's/old/new/'
holdfast edit -i settings.toml
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="the file")
    add(
        "-i",
        "--interactive",
        action="store_true",
        help="open $EDITOR on a copy, instead of CMD",
    )
    add("--diff", action="store_true", help="print what changes")
    add("--dry-run", action="store_true", help="replace nothing")
    add_create(parser)
    add("--allow-empty", action="store_true", help="let the new contents be empty")
    add_parse(parser)
    add("--no-parse", action="store_true", help="take whatever CMD prints")
    add_no_sync(parser)
    add_wait(parser)
    add_color(parser)
    add_verbosity(parser)


def run(args: Namespace) -> int:
    """Lock, make the new contents, check them, replace, unlock.

    Raises:
        Failure: wrong usage, or contents that are refused; the file is unchanged.
    """
    if args.interactive is bool(args.command):
        raise Failure("give a command after --, or -i. See holdfast edit --help.", exits.USAGE)
    with closing(open_register(args.file, sync=not args.no_sync)) as register:
        return _edit(args, register)


def _edit(args: Namespace, register: FileRegister) -> int:
    if not args.create:
        require_file(args.file)
    with ExitStack() as stack:
        place = telling(
            "edit", args.wait, lambda wait_s: stack.enter_context(register.exclusive(wait_s))
        )
        content = place.read()
        if content.data is None and not args.create:
            raise missing(args.file)
        if not args.interactive:
            return _take(args, place, content, made=_by_command(args, content))
        from holdfast.cli.editor import Copy

        with Copy(args.file, content.data or b"") as copy:  # until what was written is in place
            return _take(args, place, content, made=_by_editor(args, copy))


def _take(args: Namespace, place: FilePlace, content: Content, *, made: _Made) -> int:
    """Make the new contents those of the file."""
    if made.data is None:
        return made.code
    signals.finish()
    if args.diff:
        _show_diff(args, content.data or b"", made.data)
    if args.dry_run or made.data == content.data:
        return _unchanged(args, made.data == content.data)
    return _replace(args, place, content, data=made.data)


class _Made(NamedTuple):
    """The new contents; None when there are none, with the exit code to pass on."""

    data: bytes | None
    code: int = exits.OK


def _by_command(args: Namespace, content: Content) -> _Made:
    from holdfast.cli import children

    try:
        ended = children.run(args.command, data=content.data or b"")
    except Failure as failure:  # it cannot be run
        raise Failure(f"{failure}. {args.file} is unchanged.", failure.exit_code) from None
    if not ended.code and not ended.interrupted:
        _check(args, ended.output)
        return _Made(ended.output)
    if not args.quiet:
        note("edit", f"{_how(args.command[0], ended)}. {args.file} is unchanged.")
    return _Made(None, ended.code or 128 + ended.interrupted)


def _how(name: str, ended: Ended) -> str:
    if not ended.code:
        return f"signal {ended.interrupted} came while {name} ran"
    if ended.code > 128:
        return f"{name} was ended by signal {ended.code - 128}"
    return f"{name} exited with {ended.code}"


def _check(args: Namespace, data: bytes) -> None:
    """Refuse contents that are empty or do not parse.

    Raises:
        Failure: they are, or they do not; the file is unchanged.
    """
    if not data and not args.allow_empty:
        message = f"{args.file}: the new contents are empty. It is unchanged. See --allow-empty."
        raise Failure(message, exits.BAD_DATA, path=args.file)
    codec = None if args.no_parse else codec_of(args.file, args.parse)
    if codec is None or not data:
        return
    try:
        codec.decode(data)
    except DecodeError as error:
        place = f" (line {error.line}, column {error.column})" if error.line else ""
        message = f"{args.file}: the new contents are not {codec.name}: {error.message}{place}."
        raise Failure(f"{message} It is unchanged.", exits.BAD_DATA, path=args.file) from None


def _by_editor(args: Namespace, copy: Copy) -> _Made:
    from holdfast.cli import editor

    while True:
        if code := copy.open_in_editor():
            how = f"was ended by signal {code - 128}" if code > 128 else f"exited with {code}"
            raise Failure(f"the editor {how}. {args.file} is unchanged.", code, path=args.file)
        data = copy.read()
        try:
            _check(args, data)
        except Failure as error:
            if not editor.is_attended():
                raise
            note("edit", str(error))
            if not editor.wants_another_try():
                message = f"{args.file} is unchanged."
                raise Failure(message, error.exit_code, path=args.file) from None
        else:
            return _Made(data)


def _unchanged(args: Namespace, same: bool) -> int:
    if args.verbose:
        note(
            "edit",
            f"{args.file} is unchanged" if same else f"{args.file} would be replaced",
        )
    return exits.OK


def _replace(args: Namespace, place: FilePlace, content: Content, *, data: bytes) -> int:
    from holdfast.vfs import CLOCK

    begun = CLOCK.monotonic()
    place.write(data, replacing=content)
    if args.verbose:
        took_s = CLOCK.monotonic() - begun
        say(wrote(args.file, len(data), took_s=took_s, sync=not args.no_sync))
    return exits.OK


def _show_diff(args: Namespace, old: bytes, new: bytes) -> None:
    try:
        _print_diff(args, old, new)
        show_now(end="")
    except OSError as error:
        error.add_note(f"{args.file} is unchanged.")
        raise


def _print_diff(args: Namespace, old: bytes, new: bytes) -> None:
    from difflib import unified_diff

    from holdfast.cli.output import wants_color

    color = wants_color(sys.stdout, args.color)
    before, after = (data.decode("utf-8", "backslashreplace").splitlines() for data in (old, new))
    titles = f"{args.file} (old)", f"{args.file} (new)"
    for line in unified_diff(before, after, *titles, lineterm=""):
        shade = _SHADES.get(line[0]) if color and line[:3] not in ("---", "+++") else None
        show(f"\033[{shade}m{line}\033[0m" if shade else line)


_SHADES = {"-": "31", "+": "32", "@": "36"}
