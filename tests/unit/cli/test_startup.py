"""What each command imports: the time that a verb takes is the modules that it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from holdfast.primitives.log import Log
from holdfast.primitives.record_file import RecordFile
from holdfast.state.store import Store
from tests.support.command_line import environment

SHOW = """
import sys
before = set(sys.modules)
from holdfast.cli import main
main(sys.argv[1:])
print("\\nMODULES", *sorted(set(sys.modules) - before))
"""
SLOW = {
    "_strptime", "asyncio", "bz2", "concurrent.futures", "ctypes", "dataclasses", "datetime",
    "decimal", "difflib", "email", "hashlib", "http", "importlib.metadata", "importlib.resources",
    "inspect", "logging", "lzma", "pathlib", "random", "rich", "shutil", "socket",
    "sqlite3", "subprocess", "tempfile", "textwrap", "tomlkit", "traceback", "typing", "unittest",
    "urllib", "uuid", "zipfile", "ruamel.yaml",
}  # fmt: skip
ALLOWED = {
    # Reason: they run a command.
    "lock": {"subprocess"},
    "edit": {"subprocess"},
    # Reason: what it returns are paths.
    "sweep": {"pathlib", "urllib"},
    # Reason: `pkgutil`, which reads the text that the package has ready, imports it.
    "completion": {"typing"},
}
COMMANDS = {
    "write": ("write", "--no-sync", "new"),
    "edit": ("edit", "state.json", "--", "cat"),
    "get": ("get", "state.json", "n"),
    "set": ("set", "state.json", "n=2"),
    "del": ("del", "state.json", "n"),
    "lock": ("lock", "l", "--", "true"),
    "records ls": ("records", "ls", "a.rec"),
    "records get": ("records", "get", "a.rec", "0"),
    "records set": ("records", "set", "a.rec", "0", "id=2"),
    "records append": ("records", "append", "a.rec", "id=2"),
    "log append": ("log", "append", "new-log", "one"),
    "log cat": ("log", "cat", "log"),
    "log tail": ("log", "tail", "log"),
    "log follow": ("log", "follow", "--timeout", "0", "log"),
    "log drop": ("log", "drop", "log", "--before", "1"),
    "store get": ("store", "get", "store", "a"),
    "store put": ("store", "put", "store", "a", "2"),
    "store del": ("store", "del", "store", "a"),
    "store ls": ("store", "ls", "store"),
    "store export": ("store", "export", "store"),
    "store import": ("store", "import", "-q", "new-store"),
    "store follow": ("store", "follow", "--timeout", "0", "--from", "1", "store"),
    "verify": ("verify", "log"),
    "verify store": ("verify", "store"),
    "verify records": ("verify", "a.rec"),
    "repair": ("repair", "log", "--to", "repaired"),
    "repair store": ("repair", "store", "--to", "repaired"),
    "repair records": ("repair", "a.rec", "--to", "repaired"),
    "inspect": ("inspect", "state.json"),
    "inspect store": ("inspect", "store"),
    "inspect records": ("inspect", "a.rec"),
    "sweep": ("sweep",),
    "completion": ("completion", "bash"),
    # Reason: wrong usage, told before anything is run; what a run loads is no matter then.
    "crash": ("crash",),
}


def loaded(argv, cwd) -> set[str]:
    """The modules that a command loads, besides those of a bare interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *argv],
        input=b'{"key": "some", "value": "input"}',
        capture_output=True,
        cwd=cwd,
        env=environment(),
        timeout=60,
        check=True,
    )
    return set(done.stdout.decode().rpartition("MODULES")[2].split())


@pytest.fixture(autouse=True)
def log(tmp_path) -> None:
    """A log of one record, a file of one, and a store of one key."""
    with RecordFile(tmp_path / "a.rec", {"id": "I"}) as records:
        records.append({"id": 1})
    with Log(tmp_path / "log") as made:
        made.append(b"one")
    with Store(tmp_path / "store") as store:
        store["a"] = 1


@pytest.mark.parametrize("verb", COMMANDS)
def test_verb_loads_no_slow_module(verb, state) -> None:
    """A verb on a JSON document loads no module that takes milliseconds, but what it is for."""
    assert set() == loaded(COMMANDS[verb], state.parent) & SLOW - ALLOWED.get(verb, set())


@pytest.mark.parametrize("verb", COMMANDS)
def test_verb_loads_no_other_verb(verb, state) -> None:
    """A verb loads its own module alone, and builds its own parser alone."""
    verbs = {m for m in loaded(COMMANDS[verb], state.parent) if m.startswith("holdfast.cli.verbs.")}

    assert 1 == len(verbs)


@pytest.mark.parametrize("argv", [("--help",), ("--version",), ("help",), ()])
def test_general_help_loads_no_parser(argv, tmp_path) -> None:
    """The general help and the version load the package and nothing else."""
    assert {"holdfast", "holdfast.cli", "holdfast.cli.verbs"} == {
        name for name in loaded(argv, tmp_path) if name != "__future__"
    }


def test_slow_modules_are_seen(tmp_path, state) -> None:
    """The check sees what it looks for: a verb that needs such a module is caught with it."""
    assert "subprocess" in loaded(COMMANDS["lock"], state.parent)
