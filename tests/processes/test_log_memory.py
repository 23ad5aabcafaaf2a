"""Reading a large log holds little of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.primitives.log import Log

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="asks POSIX for the peak")

READ = """
import resource, sys
from holdfast.primitives.log import Log

def peak():
    kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kib if sys.platform == "darwin" else kib << 10

for record in Log(sys.argv[1], sync="never").read(stop=2):
    break
before, count, size = peak(), 0, 0
for record in Log(sys.argv[1], sync="never").read():
    count += 1
    size += len(record.data)
if sys.argv[2] == "check":
    assert Log(sys.argv[1], sync="never").check().ok
print(count, size, peak() - before)
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["read", "check"])
def test_reading_a_gibibyte_holds_less_than_16_mib(tmp_path: Path, way: str) -> None:
    """Groups of a MiB, records of 4 KiB, segments of 64 MiB."""
    if shutil.disk_usage(tmp_path).free < 3 << 30:
        pytest.skip("needs 3 GiB of room")
    record, count = bytes(range(256)) * 16, 250
    with Log(tmp_path / "events.log", sync="never") as log:
        groups = (1 << 30) // (len(record) * count)
        last = max(log.append_many([record] * count) for _ in range(groups))
    command = [sys.executable, "-c", READ, str(log.path), way]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert "" == done.stderr
    counted, size, peak_bytes = map(int, done.stdout.split())
    assert last == counted
    assert last * len(record) == size > 1_000_000_000
    assert peak_bytes < 16 << 20
    shutil.rmtree(log.path)
