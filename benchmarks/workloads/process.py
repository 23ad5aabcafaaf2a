"""`import-time`, `cli-verbs`: whole processes, from start to end, beside a bare interpreter."""

from __future__ import annotations

import functools
import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.runner import Contender, Experiment

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from benchmarks.workloads import Setting

__all__ = ["cli_verbs", "import_time"]

_RAW = "bare interpreter"
_UNITS = {"time": "ms", "processor": "ms"}
_IMPORTS = {
    _RAW: "pass",
    "holdfast": "import holdfast",
    "holdfast.write_bytes": "from holdfast import write_bytes",
    "holdfast.FileLock": "from holdfast import FileLock",
    "holdfast.Document": "from holdfast import Document",
    "atomicwrites": "import atomicwrites",
    "boltons": "import boltons.fileutils",
    "safer": "import safer",
    "filelock": "import filelock",
    "portalocker": "import portalocker",
    "fasteners": "import fasteners",
}
_JSON = '{"name": "demo", "retries": 3, "tls": {"on": true}}\n'
_TOML = '# settings\nname = "demo"\nretries = 3 # times\n\n[tls]\non = true\n'


def import_time(setting: Setting) -> Generator[Experiment, None, None]:
    """What one import adds to a process."""
    from importlib.util import find_spec

    environment = _environment(setting.folder("import-time"))
    contenders = [
        Contender(name, functools.partial(_timed, environment, ("-c", code), os.devnull))
        for name, code in _IMPORTS.items()
        if name == _RAW or find_spec(name.partition(".")[0]) is not None
    ]
    yield Experiment(
        "import-time", setting.place.label, _UNITS, contenders, _RAW,
        setting.pick(8, 40), setting.pick(4, 30),
    )  # fmt: skip


def cli_verbs(setting: Setting) -> Generator[Experiment, None, None]:
    """Every verb on a small file; what `doctor` measures and `demo` shows is not start-up."""
    folder = setting.folder("cli-verbs")
    timed = functools.partial(_timed, _environment(folder))
    contenders = [Contender(_RAW, functools.partial(timed, ("-c", "pass"), os.devnull))]
    for name, (words, stdin, before) in _verbs(folder).items():
        sample = functools.partial(timed, ("-m", "holdfast", *words), stdin, before)
        contenders.append(Contender(f"holdfast {name}", sample))
    yield Experiment(
        "cli-verbs", setting.place.label, _UNITS, contenders, _RAW,
        setting.pick(5, 25), setting.pick(6, 40),
    )  # fmt: skip


def _verbs(folder: str) -> dict[str, tuple[tuple[str, ...], str, tuple[str, str] | None]]:
    """Words, standard input, and a file with its text to put in place before (not timed)."""

    def at(name: str) -> str:
        return os.path.join(folder, name)

    def put(name: str, text: str) -> tuple[str, str]:
        with open(at(name), "w", encoding="utf-8") as file:
            file.write(text)
        return at(name), text

    json, toml, text = put("s.json", _JSON), put("s.toml", _TOML), put("s.txt", "some text\n")
    pipe, nothing = text[0], os.devnull
    return {
        "--help": (("--help",), nothing, None),
        "--version": (("--version",), nothing, None),
        "write": (("write", at("written.txt")), pipe, None),
        "edit": (("edit", text[0], "--", "tr", "a-z", "A-Z"), nothing, text),
        "get (json)": (("get", json[0], "tls.on"), nothing, json),
        "set (json)": (("set", json[0], "retries", "4"), nothing, json),
        "del (json)": (("del", json[0], "retries"), nothing, json),
        "get (toml)": (("get", toml[0], "tls.on"), nothing, toml),
        "set (toml)": (("set", toml[0], "retries", "4"), nothing, toml),
        "lock": (("lock", at("some.lock"), "--", "true"), nothing, None),
        "inspect": (("inspect", json[0]), nothing, json),
        "sweep": (("sweep", folder), nothing, None),
        "completion": (("completion", "bash"), nothing, None),
        "doctor --help": (("doctor", "--help"), nothing, None),
        "demo --help": (("demo", "--help"), nothing, None),
    }


def _environment(folder: str) -> dict[str, str]:
    """Compiled modules are kept, as for an installed package; the first round makes them."""
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": os.path.join(folder, "compiled")}


def _processor_ms() -> float:
    """What all children so far have used: it grows less than the time on a busy machine."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (found.ru_utime + found.ru_stime) * 1e3


def _timed(
    environment: dict[str, str],
    words: Sequence[str],
    stdin: str,
    before: tuple[str, str] | None = None,
) -> dict[str, float]:
    if before is not None:
        with open(before[0], "w", encoding="utf-8") as file:
            file.write(before[1])
    with open(stdin, "rb") as given:
        used, begin = _processor_ms(), time.perf_counter_ns()
        done = subprocess.run(
            (sys.executable, *words),
            stdin=given,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        taken = (time.perf_counter_ns() - begin) / 1e6
    used = _processor_ms() - used
    if done.returncode != 0:
        command = " ".join(words)
        raise RuntimeError(f"{command}: exit code {done.returncode}. {done.stderr.strip()[-500:]}")
    return {"time": taken, "processor": used}
