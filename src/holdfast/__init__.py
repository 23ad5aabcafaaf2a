"""Keeps what a Python program writes to files whole, in order and once.

The public names are loaded when they are first used; `import holdfast` itself loads nothing else.
"""

from __future__ import annotations

__version__ = "0.1.0.dev0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.diagnosis import doctor
    from holdfast.errors import (
        BadFrame,
        ChecksumMismatch,
        Closed,
        CommittedNotDurable,
        Conflict,
        Corruption,
        DecodeError,
        HandlePoisoned,
        HoldfastError,
        LockTimeout,
        PartlyCommitted,
        PromiseUnavailable,
        Truncated,
        UnknownFormat,
    )
    from holdfast.formats.log_format import Record
    from holdfast.primitives.async_writer import aopen
    from holdfast.primitives.check_report import CheckReport, Finding, Lost, RepairReport
    from holdfast.primitives.durable_handler import DurableHandler
    from holdfast.primitives.in_place import InPlaceFile
    from holdfast.primitives.in_place_recovery import PatchRecovery
    from holdfast.primitives.line_log import LineLog
    from holdfast.primitives.line_log_healing import TornEnd
    from holdfast.primitives.line_log_records import LineRecord
    from holdfast.primitives.lock import FileLock
    from holdfast.primitives.log import Log
    from holdfast.primitives.log_recovery import Recovery
    from holdfast.primitives.record_file import RecordFile, RecordRecovery
    from holdfast.primitives.replace import awrite_bytes, awrite_text, write_bytes, write_text
    from holdfast.primitives.replacing import areplacing, replacing
    from holdfast.primitives.stream import Stream
    from holdfast.primitives.sweep import asweep, sweep
    from holdfast.primitives.write_many import awrite_many, write_many
    from holdfast.primitives.writer import open
    from holdfast.state.document import Document, Snapshot
    from holdfast.state.draft import Draft, MergeReport
    from holdfast.state.editing import aedit, edit
    from holdfast.state.journal import Journal
    from holdfast.state.kept import KeptVersion
    from holdfast.state.store import Store
    from holdfast.state.store_following import Commit
    from holdfast.state.store_snapshot import StoreSnapshot
    from holdfast.state.transaction import Transaction
    from holdfast.vfs import Holder

_HOMES = {
    "holdfast.diagnosis": "doctor",
    "holdfast.errors": (
        "BadFrame ChecksumMismatch Closed CommittedNotDurable Conflict Corruption DecodeError"
        " HandlePoisoned HoldfastError LockTimeout PartlyCommitted PromiseUnavailable Truncated"
        " UnknownFormat"
    ),
    "holdfast.formats.log_format": "Record",
    "holdfast.primitives.lock": "FileLock",
    "holdfast.primitives.log": "Log",
    "holdfast.primitives.log_recovery": "Recovery",
    "holdfast.primitives.async_writer": "aopen",
    "holdfast.primitives.check_report": "CheckReport Finding Lost RepairReport",
    "holdfast.primitives.durable_handler": "DurableHandler",
    "holdfast.primitives.in_place": "InPlaceFile",
    "holdfast.primitives.in_place_recovery": "PatchRecovery",
    "holdfast.primitives.record_file": "RecordFile RecordRecovery",
    "holdfast.primitives.line_log_healing": "TornEnd",
    "holdfast.primitives.line_log_records": "LineRecord",
    "holdfast.primitives.line_log": "LineLog",
    "holdfast.primitives.stream": "Stream",
    "holdfast.primitives.replace": "awrite_bytes awrite_text write_bytes write_text",
    "holdfast.primitives.replacing": "areplacing replacing",
    "holdfast.primitives.sweep": "asweep sweep",
    "holdfast.primitives.write_many": "awrite_many write_many",
    "holdfast.primitives.writer": "open",
    "holdfast.state.document": "Document Snapshot",
    "holdfast.state.draft": "Draft MergeReport",
    "holdfast.state.editing": "aedit edit",
    "holdfast.state.journal": "Journal",
    "holdfast.state.store": "Store",
    "holdfast.state.store_following": "Commit",
    "holdfast.state.store_snapshot": "StoreSnapshot",
    "holdfast.state.transaction": "Transaction",
    "holdfast.state.kept": "KeptVersion",
    "holdfast.vfs": "Holder",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "BadFrame",
    "CheckReport",
    "ChecksumMismatch",
    "Closed",
    "Commit",
    "CommittedNotDurable",
    "Conflict",
    "Corruption",
    "DecodeError",
    "Document",
    "Draft",
    "DurableHandler",
    "FileLock",
    "Finding",
    "HandlePoisoned",
    "Holder",
    "HoldfastError",
    "InPlaceFile",
    "Journal",
    "KeptVersion",
    "LineLog",
    "LineRecord",
    "LockTimeout",
    "Log",
    "Lost",
    "MergeReport",
    "PartlyCommitted",
    "PatchRecovery",
    "PromiseUnavailable",
    "Record",
    "RecordFile",
    "RecordRecovery",
    "Recovery",
    "RepairReport",
    "Snapshot",
    "Store",
    "StoreSnapshot",
    "Stream",
    "TornEnd",
    "Transaction",
    "Truncated",
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
        __import__(home)  # `importlib` itself would load `warnings`
        found: object = getattr(sys.modules[home], name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return __all__
