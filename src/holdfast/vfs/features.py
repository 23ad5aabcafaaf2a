"""What one folder can do, one question a function, each answered by trying.

Each takes an open folder of our own, which holds two files, `append` and `contents`; what a try
makes is left there for whoever removes the folder. "It cannot" is an answer; any other error is
raised.
"""

from __future__ import annotations

import errno

TYPE_CHECKING = False
if TYPE_CHECKING:
    from holdfast.vfs.api import Folder

__all__ = [
    "NO_LOCKS",
    "folds_case",
    "has_attributes",
    "has_links",
    "has_unnamed",
    "locks_exclude",
    "longest_name",
    "spares_taken_names",
]

NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL})
"""What says that this filesystem has no locks."""

_FILE, _OTHER = "append", "contents"
_LONGEST_NAME_BYTES = 255
_ATTRIBUTE = "user.holdfast"
_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})
_NO_ATTRIBUTES = _NO_LINKS | {errno.EACCES, errno.EINVAL, errno.ENOSPC}


def has_unnamed(work: Folder) -> bool:
    """Whether a file can be made without a name and get one later."""
    try:
        file = work.open_unnamed(permissions=0o600)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    try:
        work.link(file, "named")
    except OSError as error:
        if error.errno not in _NO_LINKS | {errno.ENOENT, errno.EXDEV}:
            raise
        return False
    finally:
        file.close()
    return True


def has_links(work: Folder) -> bool:
    """Whether a file can have a second name."""
    try:
        work.link(_FILE, "linked")
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return False
    return work.stat("linked").st_ino == work.stat(_FILE).st_ino


def spares_taken_names(work: Folder) -> bool:
    """Whether a second name is refused where the name is taken."""
    before = work.stat(_OTHER).st_ino
    try:
        work.link(_FILE, _OTHER)
    except FileExistsError:
        return work.stat(_OTHER).st_ino == before
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    return False


def locks_exclude(work: Folder) -> bool:
    """Whether a lock excludes another open file, and passes on when it is given back."""
    first = work.open("lock", "create", permissions=0o600)
    second = work.open("lock", "write")
    try:
        if not first.lock(block=False) or second.lock(block=False):
            return False
        first.unlock()
        return second.lock(block=False)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    finally:
        second.close()
        first.close()


def has_attributes(work: Folder) -> bool:
    """Whether a user attribute is kept."""
    file = work.open("attributes", "new", permissions=0o600)
    try:
        file.set_attributes(mode=0o600, owner=None, xattrs={_ATTRIBUTE: b"kept"})
    except OSError as error:
        if error.errno not in _NO_ATTRIBUTES:
            raise
        return False
    finally:
        file.close()
    return work.xattrs("attributes").get(_ATTRIBUTE) == b"kept"


def longest_name(work: Folder) -> int:
    """Search, by halves, for the longest name that can be made."""
    low, high = 1, _LONGEST_NAME_BYTES
    while low < high:
        middle = (low + high + 1) // 2 if high < _LONGEST_NAME_BYTES else high
        if _can_make(work, "n" * middle):
            low = middle
        else:
            high = middle - 1
    return low


def _can_make(work: Folder, name: str) -> bool:
    try:
        work.open(name, "new", permissions=0o600).close()
    except OSError as error:
        if error.errno not in {errno.ENAMETOOLONG, errno.ENOENT, errno.EINVAL}:
            raise
        return False
    work.unlink(name)
    return True


def folds_case(work: Folder) -> bool:
    """Whether names that differ in case alone are one file."""
    try:
        work.stat(_FILE.upper())
    except FileNotFoundError:
        return False
    return True
