"""What is wrong with options that were given by name, in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["complaint_about", "complaint_about_names"]

_SECONDS = ("budget_s", "check_timeout_s", "timeout_s")


def complaint_about_names(given: Iterable[str], known: Iterable[str]) -> str:
    """Say which name is no option; empty if all are."""
    names = sorted(known)
    for name in given:
        if name not in names:
            from difflib import get_close_matches

            near = get_close_matches(name, names, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
            return f"{name}: is no option. {hint}"
    return ""


def complaint_about(options: Mapping[str, Any]) -> str:
    """Say which value an option cannot have; empty if all can be."""
    from holdfast.crash.explorer.findings import MODELS

    choices: dict[str, tuple[object, ...]] = {
        "model": MODELS,
        "isolation": ("fork", "process"),
        "ack": ("path", "stdout"),
        "block_bytes": (512, 4096),
    }
    for name, value in options.items():
        if name in choices and value not in choices[name]:
            return f"{name}={value!r}: choose one of {', '.join(map(str, choices[name]))}."
        if name in _SECONDS and not (isinstance(value, int | float) and value > 0):
            return f"{name}={value!r}: is no number of seconds."
        if name == "limit" and not (isinstance(value, int) and value > 0):
            return f"{name}={value!r}: is no number of combinations, 1 or more."
    return ""
