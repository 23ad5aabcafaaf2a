"""The error for a package that is not installed."""

from __future__ import annotations

import pickle

from holdfast.errors import HoldfastError
from holdfast.formats.extras import MissingExtra


def test_a_missing_extra_is_an_import_error_of_ours():
    """Either family catches it, and it says what to install."""
    error = MissingExtra("text", extra="toml")
    assert isinstance(error, ImportError)
    assert isinstance(error, HoldfastError)
    assert ("text", "toml") == (str(error), error.extra)


def test_a_missing_extra_can_be_pickled():
    """As every error of the package."""
    error = pickle.loads(pickle.dumps(MissingExtra("text", extra="toml")))
    assert ("text", "toml", "text") == (str(error), error.extra, error.message)
