"""Finds what a power cut or a kill would destroy in what a program writes, and says how to mend it.

`record_command` and `record_call` watch a program, `explore` tries every state that a crash may
leave, and the report names the line. The persistence model is `holdfast.vfs.model`. A program that
is to be watched needs nothing of this but, if it likes, `ack`.

The names are loaded when they are first used: a watched program is not to pay for the rest.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.crash.acknowledge import ack
    from holdfast.crash.explorer import (
        CheckFails,
        ExplorerError,
        Finding,
        Report,
        UnknownState,
        explore,
        explore_memory,
    )
    from holdfast.crash.recorders import (
        CallFault,
        ProgramNotStarted,
        ProgramTimedOut,
        RecorderUnavailable,
        RecordingError,
        RecordingRefused,
        record_call,
        record_command,
    )
    from holdfast.crash.recorders.memory import record_memory
    from holdfast.crash.recording import Call, Recording, Site
    from holdfast.crash.stored import load, save

_HOMES = {
    "holdfast.crash.acknowledge": "ack",
    "holdfast.crash.explorer": (
        "CheckFails ExplorerError Finding Report UnknownState explore explore_memory"
    ),
    "holdfast.crash.recorders": (
        "CallFault ProgramNotStarted ProgramTimedOut RecorderUnavailable RecordingError"
        " RecordingRefused record_call record_command"
    ),
    "holdfast.crash.recorders.memory": "record_memory",
    "holdfast.crash.recording": "Call Recording Site",
    "holdfast.crash.stored": "load save",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Call",
    "CallFault",
    "CheckFails",
    "ExplorerError",
    "Finding",
    "ProgramNotStarted",
    "ProgramTimedOut",
    "RecorderUnavailable",
    "Recording",
    "RecordingError",
    "RecordingRefused",
    "Report",
    "Site",
    "UnknownState",
    "ack",
    "explore",
    "explore_memory",
    "load",
    "record_call",
    "record_command",
    "record_memory",
    "save",
]


if not TYPE_CHECKING:  # a type checker that saw it would take every name for one of ours

    def __getattr__(name: str) -> object:
        import sys

        home = _HOME_OF.get(name)
        if home is None:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=sys.modules[__name__])
        from importlib import import_module

        found: object = getattr(import_module(home), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return __all__
