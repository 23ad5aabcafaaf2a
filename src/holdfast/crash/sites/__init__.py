"""Which line of the program is in this system call.

`SiteFinder` is asked by recorders that can hold a thread inside its call. It knows CPython 3.11 to
3.14 and compiled programs; of others it says nothing.
"""

from __future__ import annotations

from holdfast.crash.sites.finder import SiteFinder

__all__ = ["SiteFinder"]
