"""The Win32 calls that `windows` needs and Python does not offer: as a protocol, and by ctypes.

Written from the documentation of the Windows API; never run on Windows by its authors. Each call
raises the `OSError` of its Win32 error, with errno, winerror and the names that were involved.
Paths arrive in the form that `full_name` gives: absolute, without device names and length limit.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    from holdfast.light_typing import Protocol

__all__ = ["Kernel", "halves", "overlapped", "rename_information", "verbatim"]


class Kernel(Protocol):
    """The calls of Windows that Python lacks; each raises the `OSError` of its Win32 error."""

    def full_name(self, path: str) -> str:
        """Return the absolute name that no device name and no length limit applies to."""
        ...

    def create(self, path: str, *, access: int, share: int, disposition: int, flags: int) -> int:
        """Open by CreateFileW; return a descriptor."""
        ...

    def lock(self, fd: int, place: tuple[int, int], *, exclusive: bool, block: bool) -> None:
        """Lock a start and size by LockFileEx; error 33 if it is busy and `block` is off."""
        ...

    def unlock(self, fd: int, place: tuple[int, int]) -> None:
        """Unlock a start and size that were locked by one call."""
        ...

    def rename(self, old: str, new: str, *, flags: int) -> None:
        """Rename with FILE_RENAME_FLAGs."""
        ...

    def move(self, old: str, new: str) -> None:
        """Rename by MoveFileExW, replacing, written through."""
        ...

    def set_read_only(self, fd: int, *, read_only: bool) -> None:
        """Set or clear the read-only attribute."""
        ...

    def access_list(self, path: str) -> bytes:
        """Return the access list as a self-relative security descriptor."""
        ...

    def set_access_list(self, fd: int, descriptor: bytes) -> None:
        """Set the access list."""
        ...

    def volume(self, path: str) -> tuple[str, int]:
        """Return the filesystem's name and the drive type of GetDriveTypeW."""
        ...


def verbatim(absolute: str) -> str:
    r"""Return `\\?\C:\a` for `C:\a` and `\\?\UNC\server\share` for `\\server\share`."""
    path = absolute.replace("/", "\\")
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    return "\\\\?\\UNC\\" + path[2:] if path.startswith("\\\\") else "\\\\?\\" + path


def rename_information(target: str, flags: int, *, pointer_bytes: int = 8) -> bytes:
    """Lay out a FILE_RENAME_INFO: Flags, RootDirectory (none), FileNameLength, FileName."""
    name = target.encode("utf-16-le", "surrogatepass")
    head = flags.to_bytes(4, "little").ljust(pointer_bytes, b"\0") + bytes(pointer_bytes)
    return head + len(name).to_bytes(4, "little") + name + b"\0\0"


def overlapped(offset: int, *, pointer_bytes: int = 8) -> bytes:
    """Lay out an OVERLAPPED: Internal, InternalHigh, Offset, OffsetHigh, hEvent (none)."""
    return bytes(2 * pointer_bytes) + offset.to_bytes(8, "little") + bytes(pointer_bytes)


def halves(number: int) -> tuple[int, int]:
    """Return the low 32 bits of a number, and the high ones."""
    return number & 0xFFFFFFFF, number >> 32


if sys.platform == "win32":
    import os
    from functools import cached_property

    if TYPE_CHECKING:
        import ctypes

    _RENAME_INFO_EX = 22  # FILE_INFO_BY_HANDLE_CLASS
    _BASIC_INFO = 0
    _DELETE = 0x10000
    _WRITE_DAC = 0x40000
    _SYNCHRONIZE = 0x100000
    _SHARE_ALL = 7
    _OPEN_EXISTING = 3
    _BACKUP_SEMANTICS = 0x02000000
    _OPEN_REPARSE_POINT = 0x00200000
    _REPLACE_WRITE_THROUGH = 0x1 | 0x8  # MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH
    _DACL = 4  # DACL_SECURITY_INFORMATION
    _ATTRIBUTE_READONLY = 0x1
    _ATTRIBUTE_ARCHIVE = 0x20
    _INSUFFICIENT_BUFFER = 122

    __all__ += ["Kernel32"]

    class Kernel32:
        """The calls themselves; see `Kernel`."""

        @cached_property
        def _dll(self) -> ctypes.WinDLL:
            import ctypes
            from ctypes import wintypes

            dll = ctypes.WinDLL("kernel32", use_last_error=True)
            handle, word, text, pointer = (
                wintypes.HANDLE,
                wintypes.DWORD,
                wintypes.LPCWSTR,
                ctypes.c_void_p,
            )
            dll.CreateFileW.restype = dll.ReOpenFile.restype = handle
            dll.CreateFileW.argtypes = (text, word, word, pointer, word, word, handle)
            dll.ReOpenFile.argtypes = (handle, word, word, word)
            dll.CloseHandle.argtypes = (handle,)
            dll.LockFileEx.argtypes = (handle, word, word, word, word, pointer)
            dll.UnlockFileEx.argtypes = (handle, word, word, word, pointer)
            dll.SetFileInformationByHandle.argtypes = (handle, ctypes.c_int, pointer, word)
            dll.MoveFileExW.argtypes = (text, text, word)
            dll.GetVolumePathNameW.argtypes = (text, pointer, word)
            dll.GetDriveTypeW.argtypes = (text,)
            dll.GetVolumeInformationW.argtypes = (
                *(text, pointer, word, pointer, pointer, pointer, pointer, word),
            )
            return dll

        @cached_property
        def _advapi(self) -> ctypes.WinDLL:
            import ctypes
            from ctypes import wintypes

            dll = ctypes.WinDLL("advapi32", use_last_error=True)
            word, pointer = wintypes.DWORD, ctypes.c_void_p
            dll.GetFileSecurityW.argtypes = (wintypes.LPCWSTR, word, pointer, word, pointer)
            dll.SetKernelObjectSecurity.argtypes = (wintypes.HANDLE, word, ctypes.c_char_p)
            return dll

        def full_name(self, path: str) -> str:
            """Return the absolute name that no device name and no length limit applies to."""
            return verbatim(os.path.abspath(path))

        def create(
            self, path: str, *, access: int, share: int, disposition: int, flags: int
        ) -> int:
            """Open by CreateFileW; return a descriptor."""
            import msvcrt

            handle = self._dll.CreateFileW(path, access, share, None, disposition, flags, None)
            self._check_handle(handle, path)
            try:
                return msvcrt.open_osfhandle(handle, os.O_BINARY | os.O_NOINHERIT)
            except OSError:  # no descriptor is free
                self._dll.CloseHandle(handle)
                raise

        def lock(self, fd: int, place: tuple[int, int], *, exclusive: bool, block: bool) -> None:
            """Lock by LockFileEx."""
            flags = (2 if exclusive else 0) | (0 if block else 1)
            at, size = self._overlapped(place[0]), halves(place[1])
            self._check(self._dll.LockFileEx(self._handle(fd), flags, 0, *size, at), None)

        def unlock(self, fd: int, place: tuple[int, int]) -> None:
            """Unlock by UnlockFileEx."""
            at, size = self._overlapped(place[0]), halves(place[1])
            self._check(self._dll.UnlockFileEx(self._handle(fd), 0, *size, at), None)

        def rename(self, old: str, new: str, *, flags: int) -> None:
            """Rename by SetFileInformationByHandle(FileRenameInfoEx)."""
            import ctypes

            data = rename_information(new, flags, pointer_bytes=ctypes.sizeof(ctypes.c_void_p))
            access, how = _DELETE | _SYNCHRONIZE, _BACKUP_SEMANTICS | _OPEN_REPARSE_POINT
            handle = self._dll.CreateFileW(old, access, _SHARE_ALL, None, _OPEN_EXISTING, how, None)
            self._check_handle(handle, old)
            try:
                done = self._dll.SetFileInformationByHandle(
                    handle, _RENAME_INFO_EX, data, len(data)
                )
                self._check(done, old, other=new)
            finally:
                self._dll.CloseHandle(handle)

        def move(self, old: str, new: str) -> None:
            """Rename by MoveFileExW, replacing, written through."""
            self._check(self._dll.MoveFileExW(old, new, _REPLACE_WRITE_THROUGH), old, other=new)

        def set_read_only(self, fd: int, *, read_only: bool) -> None:
            """Set or clear the read-only attribute by SetFileInformationByHandle(FileBasicInfo)."""
            # FILE_BASIC_INFO: four times, zero for "leave it", the attributes, padding.
            attributes = _ATTRIBUTE_ARCHIVE | (_ATTRIBUTE_READONLY if read_only else 0)
            data = bytes(32) + attributes.to_bytes(4, "little") + bytes(4)
            done = self._dll.SetFileInformationByHandle(
                self._handle(fd), _BASIC_INFO, data, len(data)
            )
            self._check(done, None)

        def access_list(self, path: str) -> bytes:
            """Return the access list by GetFileSecurityW, self-relative."""
            import ctypes
            from ctypes import wintypes

            size = wintypes.DWORD(0)
            ask = self._advapi.GetFileSecurityW
            known = ask(path, _DACL, None, 0, ctypes.byref(size))
            self._check(int(known or ctypes.get_last_error() == _INSUFFICIENT_BUFFER), path)
            buffer = ctypes.create_string_buffer(size.value)
            self._check(ask(path, _DACL, buffer, size.value, ctypes.byref(size)), path)
            return buffer.raw[: size.value]

        def set_access_list(self, fd: int, descriptor: bytes) -> None:
            """Set the access list by SetKernelObjectSecurity, through a handle that may."""
            handle = self._dll.ReOpenFile(self._handle(fd), _WRITE_DAC, _SHARE_ALL, 0)
            self._check_handle(handle, None)
            try:
                self._check(self._advapi.SetKernelObjectSecurity(handle, _DACL, descriptor), None)
            finally:
                self._dll.CloseHandle(handle)

        def volume(self, path: str) -> tuple[str, int]:
            """Return the filesystem's name and GetDriveTypeW's number."""
            import ctypes

            root = ctypes.create_unicode_buffer(1024)
            self._check(self._dll.GetVolumePathNameW(path, root, 1024), path)
            name = ctypes.create_unicode_buffer(261)
            done = self._dll.GetVolumeInformationW(root.value, None, 0, None, None, None, name, 261)
            self._check(done, path)
            return name.value, int(self._dll.GetDriveTypeW(root.value))

        @staticmethod
        def _handle(fd: int) -> int:
            import msvcrt

            return msvcrt.get_osfhandle(fd)

        @staticmethod
        def _overlapped(offset: int) -> object:
            import ctypes

            data = overlapped(offset, pointer_bytes=ctypes.sizeof(ctypes.c_void_p))
            return ctypes.create_string_buffer(data, len(data))

        @staticmethod
        def _check(done: int, path: str | None, *, other: str | None = None) -> None:
            if not done:
                import ctypes

                error = ctypes.WinError(ctypes.get_last_error())
                error.filename, error.filename2 = path, other
                raise error

        def _check_handle(self, handle: int | None, path: str | None) -> None:
            invalid = handle is None or handle in {-1, 2**64 - 1, 2**32 - 1}
            self._check(int(not invalid), path)
