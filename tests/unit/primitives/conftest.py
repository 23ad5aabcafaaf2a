"""Fixtures for the tests of the primitives."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    """Set a umask and put the old one back."""
    old = os.umask(0o022)
    yield os.umask
    os.umask(old)
