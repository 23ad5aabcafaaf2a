"""A process that changes a file of records, and tells each change that it got back from."""

from __future__ import annotations

import sys

from holdfast.primitives.record_file import RecordFile


def main(path: str, worker: str, count: str) -> None:
    """Add one to each of the records in turn, and append one now and then."""
    with RecordFile(path) as records:
        for step in range(int(count)):
            number = step % 8
            records.update(number, add_one)
            told = f"{number}"
            if step % 50 == 49:
                told += f" {records.append({'id': 1000 + int(worker), 'value': step, 'name': ''})}"
            print(told, flush=True)


def add_one(one: dict[str, object]) -> None:
    """Make its value larger."""
    one["value"] = int(str(one["value"])) + 1


if __name__ == "__main__":
    main(*sys.argv[1:])
