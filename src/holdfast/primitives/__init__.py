"""One guarantee a module: replacing files, many at once, locks, sweeping up after the dead."""

from __future__ import annotations
