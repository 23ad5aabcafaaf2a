"""The parts of a handle together: a forked child, and the end of a handle."""

from __future__ import annotations

import os
import warnings

import pytest

from holdfast.errors import HandlePoisoned
from holdfast.primitives.record_file import RecordFile
from holdfast.vfs.fault import Fault, Faulty
from holdfast.vfs.memory import MemoryVFS
from tests.support.record_bytes import CLEAR, FIELDS, LOCK, RecordBytes, put_file, record, values


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_child_goes_on_and_keeps_what_was_durable(tmp_path) -> None:
    """What its parent has not synced, it syncs before it writes over the other copy."""
    with RecordFile(tmp_path / "r.rec", FIELDS, sync="never") as records:
        records.append_many([record(0), record(1)])
        records.barrier()
        records.update(0, {"value": 1})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            code = 1
            try:
                records.update(0, {"value": 2})
                pair = records._place.pair(0)
                code = 0 if [slot and slot.generation for slot in pair] == [3, 4] else 2
            finally:
                os._exit(code)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert 2 == records[0]["value"]
        records.update(0, {"value": 3})
        assert [3, 0] == values([*records])


def test_close_syncs_what_waits() -> None:
    """And tells when that fails; a failure that was told before is not told again."""
    disk = MemoryVFS()
    put_file(disk, RecordBytes(5).whole)
    put_file(disk, CLEAR, f"/{LOCK}")
    loose = RecordFile("/r.rec", vfs=Faulty(disk, Fault("sync", 1, effect="EIO")), sync="never")
    loose.update(0, {"value": 9})
    with pytest.raises(OSError, match="Input/output"):
        loose.close()
    assert loose.closed
    strict = RecordFile("/r.rec", vfs=Faulty(disk, Fault("sync_data", 1, effect="EIO")))
    with pytest.raises(OSError, match="Input/output"):
        strict.update(0, {"value": 9})
    with pytest.raises(HandlePoisoned):
        strict.barrier()
    strict.close()
