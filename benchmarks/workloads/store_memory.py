"""`store-memory`: what a process holds for many small values, beside a dict of the same.

`python -m benchmarks.workloads.store_memory NAME PATH KEYS` is the child; it prints kibibytes.
"""

from __future__ import annotations

import functools
import gc
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.runner import Contender, Experiment
from benchmarks.store_peers import OURS
from benchmarks.store_peers.shape import key_of
from benchmarks.workloads.memory import forget_peak, resident_kib

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from benchmarks.workloads import Setting

__all__ = ["HOLDERS", "store_memory"]

_DICT = "dict"
_BATCH = 1_000


def _value(number: int) -> str:
    return f"value {number}"


def _dict(path: str, keys: int) -> object:
    return {key_of(number): _value(number) for number in range(keys)}


def _filled(path: str, keys: int) -> object:
    from holdfast.state.store import Store

    store: Any = Store(path, sync="never")
    for start in range(0, keys, _BATCH):
        with store.transaction() as tx:
            for number in range(start, min(start + _BATCH, keys)):
                tx[key_of(number)] = _value(number)
    return store


def _reopened(path: str, keys: int) -> object:
    from holdfast.state.store import Store

    store: Any = Store(path, sync="never")
    if len(store) != keys:
        raise RuntimeError(f"{path}: {len(store)} keys of {keys}")
    return store


def _scanned(path: str, keys: int) -> object:
    """Also with the order of its keys, which a store makes when it is asked for a prefix."""
    store: Any = _reopened(path, keys)
    if len(list(store.items(prefix=key_of(keys - 1)[:-1]))) == 0:
        raise RuntimeError(f"{path}: nothing has that prefix")
    return store


HOLDERS: dict[str, Callable[[str, int], object]] = {
    _DICT: _dict,
    f"{OURS}, filled": _filled,
    f"{OURS}, reopened": _reopened,
    f"{OURS}, in key order": _scanned,
}


def store_memory(setting: Setting) -> Generator[Experiment, None, None]:
    """10^6 values of a few characters (10^5 when quick)."""
    keys = setting.pick(100_000, 1_000_000)
    folder = setting.folder("store-memory")
    path = os.path.join(folder, "store")
    _measured(f"{OURS}, filled", path, keys)  # for those that open it
    contenders = [
        Contender(
            name,
            functools.partial(
                _measured, name, path + "-filled" if name.endswith("filled") else path, keys
            ),
        )
        for name in HOLDERS
    ]
    yield Experiment(
        "store-memory", f"{setting.place.label}, {keys:,} keys",
        {"held": "MiB", "peak above start": "MiB", "time": "s"}, contenders, _DICT,
        1, 1, least=1, warm_up=False,
    )  # fmt: skip


def _measured(name: str, path: str, keys: int) -> dict[str, float]:
    words = (sys.executable, "-m", "benchmarks.workloads.store_memory", name, path, str(keys))
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}: exit code {done.returncode}. {done.stderr.strip()[-500:]}")
    held_kib, peak_kib, taken_s = done.stdout.split()
    return {
        "held": int(held_kib) / 1024,
        "peak above start": int(peak_kib) / 1024,
        "time": float(taken_s),
    }


def _child(name: str, path: str, keys: int) -> None:
    if name != _DICT:
        _filled(path + "-small", _BATCH)  # what a first use loads is not held for values
    gc.collect()
    forget_peak()
    before = resident_kib("VmRSS")
    begin = time.perf_counter()
    held = HOLDERS[name](path, keys)
    taken_s = time.perf_counter() - begin
    print(resident_kib("VmRSS") - before, resident_kib("VmHWM") - before, f"{taken_s:.3f}")
    del held


if __name__ == "__main__":
    _child(sys.argv[1], sys.argv[2], int(sys.argv[3]))
