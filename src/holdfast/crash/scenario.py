"""A crash test in three steps: how it starts, what the program does, what must hold afterwards.

What the pytest fixture `crash` gives to a test; it knows nothing of pytest itself.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypedDict, Unpack

from holdfast.crash.acknowledge import ack as acknowledge
from holdfast.crash.endings import ending
from holdfast.crash.option_words import complaint_about, complaint_about_names
from holdfast.crash.program import environment
from holdfast.vfs.operations import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from holdfast.crash.explorer import Report
    from holdfast.crash.explorer.folders import Isolation
    from holdfast.crash.recorders import CallFault
    from holdfast.crash.recording import Recording
    from holdfast.vfs.micro import Model

__all__ = ["CheckOptions", "RunOptions", "Scenario"]


class RunOptions(TypedDict, total=False):
    """What `Scenario.run` takes.

    `ack`: `stdout`: each line printed acknowledges too. `faults`: failures on order. `timeout_s`:
    when to give up.
    """

    ack: Literal["path", "stdout"]
    faults: Sequence[CallFault]
    timeout_s: float


class CheckOptions(TypedDict, total=False):
    """What `Scenario.check` takes: the options of `holdfast.crash.explore`."""

    model: Model
    block_bytes: int
    garbage: bool
    atomic_across: bool
    budget_s: float
    seed: int
    limit: int
    isolation: Isolation
    check_timeout_s: float
    recover: Callable[[str], object]
    keep: str
    replay: str


class Scenario:
    """Works in a folder of its own; the steps are taken at once, in the order of the calls.

    Args:
        above: an empty folder, that stays.
        defaults: options of `check`.
        fail: ends the test with a text.
        unavailable: ends it where programs cannot be recorded.
    """

    def __init__(
        self,
        above: str,
        *,
        defaults: Mapping[str, Any],
        fail: Callable[[str], NoReturn],
        unavailable: Callable[[str], NoReturn],
    ) -> None:
        self.folder = os.path.join(os.path.realpath(above), "data")
        self.recording: Recording | None = None
        self._states = os.path.join(above, "states")
        self._raised = os.path.join(above, "raised.txt")
        self._defaults = defaults
        self._fail = fail
        self._unavailable = unavailable
        os.mkdir(self.folder)

    def setup(self, function: Callable[[str], object]) -> None:
        """Call `function(dir)` here and now; what it leaves in the folder counts as durable."""
        if self.recording is not None:
            self._fail("crash.setup: comes before crash.run")
        self._refuse_deferred("setup", function)
        from holdfast.crash.explorer.deferred import deferred_answer

        if what := deferred_answer(function(self.folder)):
            self._fail(f"crash.setup: the function returned {what}, and nothing of it was run")

    def run(
        self,
        program: Callable[[str, Callable[[object], None]], object] | Sequence[str],
        *,
        any_exit: bool = False,
        **options: Unpack[RunOptions],
    ) -> Recording:
        """Call `program(dir, ack)` in a forked child, or run a command, and record what it writes.

        It starts in the folder. `ack(text)` says that `text` has been promised to somebody. What a
        function changes in memory is lost with the child.

        The test fails if the program does (unless `any_exit`, or faults are ordered), or if it
        writes nothing into the folder.
        """
        __tracebackhide__ = True
        if self.recording is not None:
            self._fail("crash.run: was called already. Let one function do all that is recorded.")
        if sys.platform != "linux":
            self._unavailable(f"programs are recorded on Linux alone, not on {sys.platform}")
        self._refuse_options("run", options, RunOptions)
        self._refuse_deferred("run", program)
        self.recording = recording = self._record(program, options)
        if recording.status and not (any_exit or options.get("faults")):
            self._fail(f"crash.run: {self._ending(recording.status)}")
        self._refuse_unmet(recording)
        if all(isinstance(operation, Mark) for operation in recording.operations):
            self._fail(
                f"crash.run: nothing was changed in {self.folder}, so there is nothing to crash. "
                "Write to the folder that the function is given, or to its current folder."
            )
        return recording

    def check(
        self, function: Callable[[str, list[str]], object], **options: Unpack[CheckOptions]
    ) -> Report:
        """Call `function(dir, acked)` for every state that a crash may leave.

        The test fails, with the report, if it raises for one. `acked` is what had been promised
        then. It may be called more than once, such as for several models.
        """
        __tracebackhide__ = True
        from holdfast.crash.explorer import ExplorerError, explore

        if self.recording is None:
            self._fail("crash.check: call crash.run first")
        chosen: dict[str, Any] = {"keep": self._states, **self._defaults, **options}
        self._refuse_options("check", chosen, CheckOptions)
        self._refuse_deferred("check", function)
        self._refuse_deferred("check(recover=...)", chosen.get("recover"))
        report, words = None, ""
        try:
            report = explore(self.recording, function, **chosen)
        except ExplorerError as error:
            words = f"crash.check: {error}"
        if report is not None and not report.tried:
            words = "crash.check: nothing was tried: raise budget_s"
            report = None
        if report is not None and not report.findings:
            return report
        # Not in the handler, or pytest would tell both.
        return self._fail(words if report is None else _text(report))

    def _refuse_options(self, step: str, given: Mapping[str, Any], known: type) -> None:
        __tracebackhide__ = True
        wrong = complaint_about_names(given, known.__annotations__) or complaint_about(given)
        if wrong:
            self._fail(f"crash.{step}: {wrong}")

    def _refuse_deferred(self, step: str, function: object) -> None:
        __tracebackhide__ = True
        from holdfast.crash.explorer.deferred import deferred_function

        if what := deferred_function(function):
            name = getattr(function, "__name__", repr(function))
            self._fail(f"crash.{step}: {name} is {what}, whose body a call does not run")

    def _refuse_unmet(self, recording: Recording) -> None:
        __tracebackhide__ = True
        from holdfast.crash.recorders.faults import NOT_MET

        unmet = [note for note in recording.notes if note.startswith(NOT_MET)]
        if unmet:
            self._fail(f"crash.run: {'; '.join(unmet)}. Calls in the folder are counted, from 1.")

    def _record(self, program: Any, options: RunOptions) -> Recording:
        __tracebackhide__ = True
        from holdfast.crash.recorders import (
            RecorderUnavailable,
            RecordingError,
            record_call,
            record_command,
        )

        try:
            if callable(program):
                return record_call(lambda: self._call(program), root=self.folder, **options)
            unbuffered = options.get("ack") == "stdout"
            surroundings = environment(unbuffered=unbuffered)
            return record_command(program, root=self.folder, env=surroundings, **options)
        except ValueError as error:  # of a fault
            end, words = self._fail, f"crash.run: {error}"
        except RecorderUnavailable as error:
            end, words = self._unavailable, str(error)
        except RecordingError as error:
            end, words = self._fail, f"crash.run: {error}"
        return end(words)  # not in a handler, or pytest would tell both

    def _call(self, function: Callable[..., object]) -> None:
        """In the child: what it raises is left for the parent to tell, outside the folder."""
        try:
            from holdfast.crash.explorer.deferred import refuse_deferred

            refuse_deferred(function(self.folder, acknowledge))
        except BaseException as error:
            if isinstance(error, SystemExit) and (error.code is None or error.code == 0):
                return  # a program that ends well
            from traceback import format_exception

            behind = error.__traceback__ and error.__traceback__.tb_next
            with open(self._raised, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.writelines(format_exception(error.with_traceback(behind)))
            raise SystemExit(1) from None

    def _ending(self, status: int) -> str:
        if os.path.exists(self._raised):
            with open(self._raised, encoding="utf-8") as file:
                return f"the function raised, without any crash\n{file.read()}"
        return f"the program {ending(status)}, without any crash"


def _text(report: Report) -> str:
    """The report; a finding is replayed by the test itself."""
    text = report.text()
    for finding in report.findings:
        text = text.replace(
            f"replay: holdfast crash --replay {finding.id} ...",
            f"replay: crash.check(..., replay={finding.id!r})",
        )
    return text
