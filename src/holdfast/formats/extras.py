"""What is raised when a format needs a package that is not installed."""

from __future__ import annotations

from holdfast.errors import HoldfastError

__all__ = ["MissingExtra"]


class MissingExtra(HoldfastError, ImportError):
    """A format needs a package that is not installed; nothing was read or written.

    Attributes: `extra`, what to install: `pip install holdfast[extra]`.
    """

    exit_code = 69

    def __init__(self, message: str, *, extra: str) -> None:
        super().__init__(message)
        self.extra = extra
