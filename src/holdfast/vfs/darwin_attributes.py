"""Extended attributes and access lists of macOS, which Python does not offer, by ctypes.

From the manual pages listxattr(2), getxattr(2), setxattr(2) and acl(3); never run on macOS by its
authors. Each call has an open file as its subject. The access list travels among the attributes as
the text of acl_to_text(3), under a name that no attribute of macOS has; without such lists (a C
library that lacks the calls) there is none.
"""

from __future__ import annotations

import errno
import os
from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from collections.abc import Callable

__all__ = ["ACCESS_LIST", "read_attributes", "set_attribute"]

ACCESS_LIST = "access list"
_ACL_TYPE_EXTENDED = 0x100  # <sys/acl.h>
# No attributes on this volume, or this one went away between two calls (ENOATTR of macOS is 93).
_NONE_HERE = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.ENODATA, 93})
_TRIES = 8


def read_attributes(fd: int) -> dict[str, bytes]:
    """Return all attributes of an open file, the access list among them."""
    found: dict[str, bytes] = {}
    for name in _names(fd):
        value = _value(fd, name)
        if value is not None:
            found[os.fsdecode(name)] = value
    access_list = _access_list(fd)
    return found if access_list is None else {**found, ACCESS_LIST: access_list}


def set_attribute(fd: int, name: str, value: bytes) -> None:
    """Set one attribute, or the access list, of an open file."""
    if name == ACCESS_LIST:
        _set_access_list(fd, value)
    elif _library().fsetxattr(fd, os.fsencode(name), value, len(value), 0, 0) != 0:
        raise _error()


def _names(fd: int) -> list[bytes]:
    data = _grown(lambda buffer, size: _library().flistxattr(fd, buffer, size, 0))
    return [name for name in (data or b"").split(b"\0") if name]


def _value(fd: int, name: bytes) -> bytes | None:
    return _grown(lambda buffer, size: _library().fgetxattr(fd, name, buffer, size, 0, 0))


def _grown(call: Callable[[object, int], int]) -> bytes | None:
    """Ask for the size, then for the bytes, again if they grew meanwhile; None without any."""
    import ctypes

    for _ in range(_TRIES):
        size = call(None, 0)
        if size > 0:
            buffer = ctypes.create_string_buffer(size)
            size = call(buffer, size)
            if size >= 0:
                return buffer.raw[:size]
        elif size == 0:
            return b""
        code = ctypes.get_errno()
        if code in _NONE_HERE:
            return None
        if code != errno.ERANGE:
            raise _error()
    raise OSError(errno.EAGAIN, "the extended attributes change all the time")


def _access_list(fd: int) -> bytes | None:
    import ctypes

    library = _library()
    if not hasattr(library, "acl_get_fd_np"):
        return None
    held = library.acl_get_fd_np(fd, _ACL_TYPE_EXTENDED)
    if not held:
        return None  # ENOENT: there is none; ENOTSUP: not on this volume
    try:
        text = library.acl_to_text(held, None)
        if not text:
            raise _error()
        try:
            return ctypes.string_at(text)
        finally:
            library.acl_free(text)
    finally:
        library.acl_free(held)


def _set_access_list(fd: int, text: bytes) -> None:
    library = _library()
    if not hasattr(library, "acl_from_text"):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    made = library.acl_from_text(text)
    if not made:
        raise _error()
    try:
        if library.acl_set_fd_np(fd, made, _ACL_TYPE_EXTENDED) != 0:
            raise _error()
    finally:
        library.acl_free(made)


def _error() -> OSError:
    import ctypes

    code = ctypes.get_errno()
    return OSError(code, os.strerror(code))


@cache
def _library() -> ctypes.CDLL:
    """The C library; without the types, a pointer would be cut to 32 bits."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    fd, size, flags, text = ctypes.c_int, ctypes.c_size_t, ctypes.c_int, ctypes.c_char_p
    address, position = ctypes.c_void_p, ctypes.c_uint32
    signatures: dict[str, tuple[object, tuple[object, ...]]] = {
        "flistxattr": (ctypes.c_ssize_t, (fd, address, size, flags)),
        "fgetxattr": (ctypes.c_ssize_t, (fd, text, address, size, position, flags)),
        "fsetxattr": (ctypes.c_int, (fd, text, text, size, position, flags)),
        "acl_get_fd_np": (address, (fd, ctypes.c_int)),
        "acl_set_fd_np": (ctypes.c_int, (fd, address, ctypes.c_int)),
        "acl_to_text": (address, (address, address)),
        "acl_from_text": (address, (text,)),
        "acl_free": (ctypes.c_int, (address,)),
    }
    for name, (result, arguments) in signatures.items():
        if hasattr(library, name):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    return library
