"""Which frames are the program's own, and which the standard library's or the tester's. Pure.

The line that a report names is the innermost one that the program's author wrote:
`path.write_text` is made of calls of `pathlib`, but the line to be mended is the one that says
`write_text`. Installed packages count as the program: what they do to its files, it does.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.crash.recording import Site

__all__ = ["SITES_MAX", "is_of_program", "is_of_recorder", "program_sites"]

SITES_MAX = 8
"""How many lines are kept of one call."""

_STANDARD_LIBRARY = re.compile(
    r"<frozen [^>]*>|"
    r".*/lib(64)?/(python3\.\d+t?|python3\d+\.zip)/(?!site-packages/|dist-packages/).*",
    re.DOTALL,
)
_OWN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_OWN_INSTALLED = "/site-packages/holdfast/"
_RECORDERS = os.path.join("holdfast", "crash", "recorders") + os.sep


@lru_cache(maxsize=4096)
def is_of_program(path: str) -> bool:
    """Whether the file is neither the standard library's nor holdfast's."""
    if _STANDARD_LIBRARY.fullmatch(path):
        return False
    return not path.startswith(_OWN) and _OWN_INSTALLED not in path


def is_of_recorder(path: str) -> bool:
    """Whether the file is a recorder's own: what called it is not the program under test."""
    return _RECORDERS in path and not is_of_program(path)


def program_sites(sites: Iterable[Site]) -> tuple[Site, ...]:
    """The program's lines, innermost first; where there are none, those that there are."""
    own: list[Site] = []
    others: list[Site] = []
    for site in sites:
        if is_of_program(site.path):
            own.append(site)
            if len(own) == SITES_MAX:
                break
        elif own and is_of_recorder(site.path):
            break
        elif len(others) < SITES_MAX:
            others.append(site)
    return tuple(own or others)
