"""`holdfast lock`: a command under a lock, as flock(1) runs it, and with the same locks."""

from __future__ import annotations

import os
import sys

from holdfast.cli import exits
from holdfast.cli.exits import Failure, note
from holdfast.cli.files import holder_of, lock_path_of, named_file
from holdfast.cli.output import print_json, print_rows
from holdfast.cli.parser import add_json, add_verbosity, add_wait
from holdfast.errors import LockTimeout
from holdfast.vfs import CLOCK, SYSTEM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.cli.parser import Namespace, Parser
    from holdfast.vfs import File, Folder

COMMAND = True
USAGE = "[OPTION...] FILE [--] CMD [ARG...]\n[OPTION...] FILE -c LINE\n--who [--of] [--json] FILE"
SUMMARY = "Run CMD while holding the lock of FILE."
ABOUT = """
FILE itself is locked, exactly as flock(1) does: both exclude each other. It may
be a folder, and is made when it is missing. CMD inherits the lock (not with -o),
so what it leaves behind in the background holds it on. The exit code is that
of CMD.

The library, `set` and `edit` do not lock state.json but a file beside it,
state.json.lock; `lock --of state.json` takes that lock. While it is held, they
all wait. So CMD must not call them on the same file.
"""
EXAMPLES = """
holdfast lock -n /run/lock/backup.lock -- rsync -a src/ dst/ || exit
holdfast lock --of state.json -w 5 -- cp state.json backup/
holdfast lock --who --of state.json
"""


def configure(parser: Parser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("file", metavar="FILE", help="what to lock")
    add("-x", "-e", "--exclusive", action="store_false", dest="shared", default=False,
        help="hold it alone (default)")  # fmt: skip
    add("-s", "--shared", action="store_true", help="share it with others that use -s")
    add("-n", "--nb", "--nonblock", action="store_const", const=0.0, dest="wait",
        help="do not wait: as -w 0")  # fmt: skip
    add_wait(parser, "--timeout")
    add("-o", "--close", action="store_true", help="do not let CMD inherit the lock")
    add(
        "-F",
        "--no-fork",
        action="store_true",
        help="become CMD, instead of waiting for it",
    )
    add("-c", "--command", metavar="LINE", dest="line", help="let $SHELL run LINE")
    add(
        "--of",
        action="store_true",
        help="take the lock that a document FILE is changed under",
    )
    add("--who", action="store_true", help="say who holds it; exit 1 if nobody does")
    add_json(parser)
    add_verbosity(parser)


def run(args: Namespace) -> int:
    """Take the lock, run the command, let go."""
    path = lock_path_of(args.file) if args.of else named_file(args.file)
    if args.who:
        return _who(args, path)
    command = _command(args)
    begun_s = CLOCK.monotonic()
    file = _locked(args, path)
    if args.verbose:
        note("lock", f"{path} is locked after {CLOCK.monotonic() - begun_s:.6f} s")
    try:
        return _run(args, command, file)
    finally:
        file.close()  # never an unlock: what inherited the lock keeps it


def _command(args: Namespace) -> list[str]:
    from holdfast.cli.children import shell_words

    words: list[str] = args.command
    if args.no_fork and args.close:
        raise Failure("-F and -o together would hold no lock", exits.USAGE)
    if bool(words) is (args.line is not None):
        raise Failure("give one command to run. See holdfast lock --help.", exits.USAGE)
    return words or shell_words(str(args.line))


def _locked(args: Namespace, path: str) -> File:
    from holdfast.cli.waiting import take, telling

    def attempt(wait_s: float | None) -> File:
        try:
            file = _open(path)
        except OSError as error:
            error.add_note("CMD was not run.")
            raise
        if take(file, shared=args.shared, timeout_s=wait_s):
            return file
        raise LockTimeout("busy", path=path, waited_s=wait_s or 0, holder=holder_of(path))

    try:
        return telling("lock", args.wait, attempt)
    except LockTimeout as busy:
        who = f" by {busy.holder}" if busy.holder else ""
        raise Failure(f"{path} is held{who}. CMD was not run.", exits.BUSY, path=path) from None


def _open(path: str) -> File:
    """Open what is to be locked; read only where it is a folder or may not be written."""
    folder_path, name = os.path.split(SYSTEM.resolve(path))
    folder = SYSTEM.folder(folder_path)
    try:
        if name:
            try:
                return folder.open(name, "create")
            except (IsADirectoryError, PermissionError, FileNotFoundError) as refused:
                return _open_to_read(folder, name, refused)
        return folder.open(os.curdir, "read")
    finally:
        folder.close()


def _open_to_read(folder: Folder, name: str, refused: OSError) -> File:
    try:
        return folder.open(name, "read")
    except (FileNotFoundError, PermissionError):
        raise refused from None


def _run(args: Namespace, command: list[str], file: File) -> int:
    from holdfast.cli import children

    if args.no_fork:
        sys.stdout.flush()
        children.replace_process(command, inherit=file.fileno())
    inherit = [] if args.close else [file.fileno()]
    return children.run(command, inherit=inherit).code


def _who(args: Namespace, path: str) -> int:
    if args.command or args.line:
        raise Failure("--who runs no command. See holdfast lock --help.", exits.USAGE)
    try:
        holder = holder_of(path)
    except FileNotFoundError:
        if not args.of:
            raise
        holder = None  # the file beside a document is made when its lock is first taken
    if args.as_json:
        print_json({"path": path, "holder": holder and holder._asdict()})
    elif holder is not None:
        print_rows([(str(holder.pid), holder.program, holder.host)], ("PID", "PROGRAM", "HOST"))
    elif not args.quiet:
        note("lock", f"nobody holds {path}{_hint(args)}")
    return exits.OK if holder is not None else exits.NO


def _hint(args: Namespace) -> str:
    """Where to ask instead, if the file is a document: those are changed under a file beside it."""
    if args.of:
        return ""
    beside = lock_path_of(args.file)
    try:
        SYSTEM.stat(beside)
    except OSError:
        return ""
    return f". As a document it is changed under {beside}: ask for that with --of."
