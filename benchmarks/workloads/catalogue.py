"""All workloads by name, in the order in which they run."""

from __future__ import annotations

from benchmarks.workloads import Workload
from benchmarks.workloads.document import document_contended, document_update
from benchmarks.workloads.lines import line_append, stream_write
from benchmarks.workloads.lock import lock_contended, lock_hand_off, lock_uncontended
from benchmarks.workloads.log import log_append, log_asyncio, log_processes, log_threads
from benchmarks.workloads.log_reading import log_memory, log_read
from benchmarks.workloads.memory import stream_memory
from benchmarks.workloads.process import cli_verbs, import_time
from benchmarks.workloads.records import record_lock, record_processes, record_update
from benchmarks.workloads.replace import replace_large, replace_small, seam_cost
from benchmarks.workloads.store import (
    store_asyncio,
    store_batch,
    store_processes,
    store_put,
    store_threads,
)
from benchmarks.workloads.store_checkpoint import store_checkpoint
from benchmarks.workloads.store_memory import store_memory
from benchmarks.workloads.store_reading import store_get, store_get_shared
from benchmarks.workloads.store_reopen import store_reopen
from benchmarks.workloads.write_many import write_many
from benchmarks.workloads.ycsb import ycsb

__all__ = ["WORKLOADS"]

WORKLOADS = {
    "replace-small": Workload(replace_small, in_memory=True),
    "replace-large": Workload(replace_large, in_memory=True),
    "seam-cost": Workload(seam_cost, in_memory=True),
    "write-many": Workload(write_many, on_slow_disk=True),
    "lock-uncontended": Workload(lock_uncontended, on_disk=False),
    "lock-contended": Workload(lock_contended, on_disk=False),
    "lock-hand-off": Workload(lock_hand_off, on_disk=False),
    "document-update": Workload(document_update),
    "document-contended": Workload(document_contended),
    "log-append": Workload(log_append, on_slow_disk=True),
    "log-threads": Workload(log_threads, on_slow_disk=True),
    "log-asyncio": Workload(log_asyncio, on_slow_disk=True),
    "log-processes": Workload(log_processes, on_slow_disk=True),
    "log-read": Workload(log_read, on_disk=False),
    "log-memory": Workload(log_memory, on_disk=False),
    "store-put": Workload(store_put, in_memory=True, on_slow_disk=True),
    "store-threads": Workload(store_threads, on_slow_disk=True),
    "store-asyncio": Workload(store_asyncio, on_slow_disk=True),
    "store-processes": Workload(store_processes, on_slow_disk=True),
    "store-batch": Workload(store_batch),
    "store-get": Workload(store_get, on_disk=False),
    "store-get-shared": Workload(store_get_shared, on_disk=False),
    "store-reopen": Workload(store_reopen, on_disk=False),
    "store-memory": Workload(store_memory, on_disk=False),
    "store-checkpoint": Workload(store_checkpoint, on_disk=False),
    "ycsb": Workload(ycsb, on_disk=False),
    "record-update": Workload(record_update),
    "record-processes": Workload(record_processes),
    "record-lock": Workload(record_lock, on_disk=False),
    "line-append": Workload(line_append),
    "stream-write": Workload(stream_write),
    "import-time": Workload(import_time, on_disk=False),
    "cli-verbs": Workload(cli_verbs, on_disk=False),
    "stream-memory": Workload(stream_memory, on_disk=False),
}
