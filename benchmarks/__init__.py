"""Time and memory of holdfast beside raw system calls and peers: `python -m benchmarks`."""

from __future__ import annotations
