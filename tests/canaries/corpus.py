"""The corpus: each module of `programs` is a bad program, its twin and what is expected."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from holdfast.crash.explorer import Report, explore
from holdfast.crash.recorders import record_command
from holdfast.crash.recorders.door import Recorder
from holdfast.crash.recording import Call, Recording

PROGRAMS = Path(__file__).with_name("programs")
ROOT = PROGRAMS.parents[2]
NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))

_EXPECTED = re.compile(
    r"^Found: (?P<model>prefix|linux|posix), (?P<rule>[a-z-]+)\n"
    r"Twin: (?P<twin>linux|posix)$",
    re.MULTILINE,
)
_HERE = " <- here"
_NEEDS = {".c": "cc", ".js": "node", ".sh": "sh"}


class Canary:
    """One bad program and its twin."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.module: Any = import_module(f"tests.canaries.programs.{name}")
        found = _EXPECTED.search(self.module.__doc__ or "")
        assert found is not None, f"{name}: the docstring does not say what is expected"
        self.model, self.rule, self.twin = found.group("model", "rule", "twin")

    @property
    def program(self) -> Path | None:
        """The file of a program that is not in Python."""
        name = getattr(self.module, "PROGRAM", None)
        return None if name is None else PROGRAMS / name

    @property
    def _source(self) -> Path:
        return self.program or Path(self.module.__file__)

    @property
    def missing(self) -> str | None:
        """What this machine lacks to run it."""
        needs = None if self.program is None else _NEEDS[self.program.suffix]
        return needs if needs is not None and shutil.which(needs) is None else None

    @cached_property
    def line(self) -> int | None:
        """The line that the advice has to name; None for a program that gives no lines."""
        text = self._source.read_text(encoding="utf-8")
        lines = [n for n, line in enumerate(text.splitlines(), 1) if line.endswith(_HERE)]
        return lines[0] if lines else None

    @property
    def call(self) -> str:
        """How the text of the call that the advice has to name begins, if there is no line."""
        return self.module.CALL

    def run(self, side: str, folder: Path, *, model: str, recorder: Recorder = "auto") -> Report:
        """Prepare a folder, record one side in it, and try the states that a crash leaves."""
        recording = self.record(side, folder, recorder=recorder)
        assert recording.status == 0, f"{self.name} {side} ended with {recording.status}"
        return explore(
            recording,
            self.check(side),
            model=model,  # pyright: ignore[reportArgumentType]
            isolation="process",
            recover=getattr(self.module, "recover", None),
            **getattr(self.module, "OPTIONS", {}),
        )

    def check(self, side: str) -> Callable[[str, Any], None]:
        """Return the check of one side: most have one for both."""
        return getattr(self.module, f"check_{side}", None) or self.module.check

    def record(self, side: str, folder: Path, *, recorder: Recorder = "auto") -> Recording:
        """Prepare a folder and record one side in it."""
        root = folder / f"{self.name}-{side}"
        root.mkdir()
        self.prepare(root)
        return record_command(
            self._command(side, folder),
            root=str(root),
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            recorder=recorder,
            faults=getattr(self.module, "FAULTS", ()),
        )

    def prepare(self, root: Path) -> None:
        """Make what is there before."""
        for name, data in self.module.BEFORE.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir()
            else:
                path.write_bytes(data)
        prepare = getattr(self.module, "prepare", None)
        if prepare is not None:
            prepare(str(root))

    def _command(self, side: str, folder: Path) -> Sequence[str]:
        program = self.program
        if program is None:
            return [sys.executable, "-m", "tests.canaries.run", self.name, side]
        if program.suffix != ".c":
            return [_NEEDS[program.suffix], str(program), side]
        binary = folder / program.stem
        subprocess.run(["cc", "-g", "-o", binary, program], check=True, timeout=60)
        return [str(binary), side]

    def is_meant(self, call: Call | None) -> bool:
        """Whether this is the call that the advice has to name."""
        if call is None:
            return False
        if self.line is None:
            return call.text.startswith(self.call)
        own = [site.line for site in call.sites if site.path == str(self._source)]
        return own[:1] == [self.line]
