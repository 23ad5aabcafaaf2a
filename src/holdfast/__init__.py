"""Keeps what a Python program writes to files whole, in order and once.

The public names are loaded when they are first used; `import holdfast` itself loads nothing else.
"""

from __future__ import annotations

__version__ = "0.1.0.dev0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.diagnosis import doctor
    from holdfast.errors import (
        Closed,
        CommittedNotDurable,
        Conflict,
        Corruption,
        DecodeError,
        HoldfastError,
        LockTimeout,
        PartlyCommitted,
        PromiseUnavailable,
        UnknownFormat,
    )
    from holdfast.primitives.async_writer import aopen
    from holdfast.primitives.lock import FileLock
    from holdfast.primitives.replace import awrite_bytes, awrite_text, write_bytes, write_text
    from holdfast.primitives.replacing import areplacing, replacing
    from holdfast.primitives.sweep import asweep, sweep
    from holdfast.primitives.write_many import awrite_many, write_many
    from holdfast.primitives.writer import open
    from holdfast.state.document import Document, Snapshot
    from holdfast.state.draft import Draft, MergeReport
    from holdfast.state.editing import aedit, edit
    from holdfast.state.kept import KeptVersion
    from holdfast.vfs import Holder

_HOMES = {
    "holdfast.diagnosis": "doctor",
    "holdfast.errors": (
        "Closed CommittedNotDurable Conflict Corruption DecodeError HoldfastError LockTimeout"
        " PartlyCommitted PromiseUnavailable UnknownFormat"
    ),
    "holdfast.primitives.lock": "FileLock",
    "holdfast.primitives.async_writer": "aopen",
    "holdfast.primitives.replace": "awrite_bytes awrite_text write_bytes write_text",
    "holdfast.primitives.replacing": "areplacing replacing",
    "holdfast.primitives.sweep": "asweep sweep",
    "holdfast.primitives.write_many": "awrite_many write_many",
    "holdfast.primitives.writer": "open",
    "holdfast.state.document": "Document Snapshot",
    "holdfast.state.draft": "Draft MergeReport",
    "holdfast.state.editing": "aedit edit",
    "holdfast.state.kept": "KeptVersion",
    "holdfast.vfs": "Holder",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Closed",
    "CommittedNotDurable",
    "Conflict",
    "Corruption",
    "DecodeError",
    "Document",
    "Draft",
    "FileLock",
    "Holder",
    "HoldfastError",
    "KeptVersion",
    "LockTimeout",
    "MergeReport",
    "PartlyCommitted",
    "PromiseUnavailable",
    "Snapshot",
    "UnknownFormat",
    "__version__",
    "aedit",
    "aopen",
    "areplacing",
    "asweep",
    "awrite_bytes",
    "awrite_many",
    "awrite_text",
    "doctor",
    "edit",
    "open",
    "replacing",
    "sweep",
    "write_bytes",
    "write_many",
    "write_text",
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
