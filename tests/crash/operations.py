"""The registry of all public operations that write, each with what holds after a crash.

An operation that is added to the library gets an entry of a few lines in one of the parts:
what it does, what was there before, and for each file what it may hold, the last of which it does
hold once the operation has returned. All proofs of this folder then run on it.
"""

from __future__ import annotations

from tests.crash import (
    documents,
    in_place,
    journals,
    line_logs,
    logs,
    other_doors,
    records,
    stores,
    streams,
    whole_files,
)
from tests.crash.promises import Operation

OPERATIONS: tuple[Operation, ...] = (
    *whole_files.OPERATIONS,
    *documents.OPERATIONS,
    *other_doors.OPERATIONS,
    *line_logs.OPERATIONS,
    *streams.OPERATIONS,
    *logs.OPERATIONS,
    *journals.OPERATIONS,
    *stores.OPERATIONS,
    *in_place.OPERATIONS,
    *records.OPERATIONS,
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}
