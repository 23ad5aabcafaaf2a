"""The one door to the operating system: what every implementation must give.

Three small protocols. A `VFS` opens folders; a `Folder` is a descriptor of one folder, and all
names are looked up through it, so a `chdir` or a moved folder cannot redirect an operation that
has begun; a `File` is an open file. Everything raises plain `OSError` with its errno and, where a
name was involved, the file's name. Implementations: the system (`posix`, `linux`, `darwin`,
`windows`), `memory` (can crash), and the wrappers `trace` and `fault`. All of them pass one suite,
tests/conformance/.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, NamedTuple, Protocol, TypeAlias

    from typing_extensions import Buffer
else:
    from holdfast.light_typing import NamedTuple, Protocol

__all__ = ["VFS", "File", "Folder", "Holder", "OpenMode", "Promises", "Stat", "Sync", "Words"]

OpenMode: TypeAlias = "Literal['read', 'write', 'create', 'new']"
"""`read`: must exist, read only. `write`: must exist, read and write. `create`: read and write,
made when missing. `new`: read and write, `FileExistsError` when the name is taken (also by a
dangling symlink)."""

Sync: TypeAlias = "Literal['always', 'never']"
"""`always`: the effect survives a power cut when the call returns. `never`: readers see old or new,
and a power cut may take the new away, or leave neither whole (see `Promises`)."""


class Holder(NamedTuple):
    """Who holds a lock: a hint for people, never a proof."""

    pid: int
    host: str
    program: str

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.program}) on {self.host}"


class Promises(NamedTuple):
    """What one place gives, as far as it can be known without measuring.

    `filesystem` is its name (`ext4`, `tmpfs` ...); `sync_is_durable`: a sync reaches something that
    survives a power cut; `folder_sync`: a folder can be synced; `locks`: locks exclude all who may
    see the file (not merely those on this machine); `events`: change events can be trusted;
    `weaknesses`: a sentence for each promise that does not hold; `zero_filling`: writing into
    blocks that hold zeros already spares a sync the writing of metadata.
    """

    filesystem: str
    sync_is_durable: bool
    folder_sync: bool
    locks: bool
    events: bool
    weaknesses: tuple[str, ...]
    zero_filling: bool = True


class Words(Protocol):
    """64-bit words that all who have the file open share: hints, which no sync makes durable.

    An access reads or stores one whole word. An index that is none of the words is `IndexError`, a
    number that does not fit, and any use after `release`, `ValueError`. Words of a file that was
    opened to be read cannot be stored: `TypeError`.
    """

    def __getitem__(self, index: int, /) -> int:
        """Read a word."""
        ...

    def __setitem__(self, index: int, value: int, /) -> None:
        """Store a word; whoever reads it next sees it, in whatever process."""
        ...

    def release(self) -> None:
        """Give the words back; idempotent."""
        ...


class Stat(Protocol):
    """The part of `os.stat_result` that holdfast uses."""

    @property
    def st_mode(self) -> int: ...
    @property
    def st_ino(self) -> int: ...
    @property
    def st_dev(self) -> int: ...
    @property
    def st_nlink(self) -> int: ...
    @property
    def st_uid(self) -> int: ...
    @property
    def st_gid(self) -> int: ...
    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime_ns(self) -> int: ...
    @property
    def st_ctime_ns(self) -> int: ...


class File(Protocol):
    """An open file. `close` is idempotent; anything else after it raises `OSError(EBADF)`."""

    def fileno(self) -> int:
        """Return the descriptor; `OSError(EBADF)` where there is none (the memory filesystem)."""
        ...

    def read(self, size: int, *, offset: int | None = None) -> bytes:
        """Read at most `size` bytes at `offset`, or the position (it moves); `b""` at the end."""
        ...

    def write(self, data: Buffer, *, offset: int | None = None) -> int:
        """Write at `offset`, or at the position (which moves).

        Return the count, which may be *short*.
        """
        ...

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position as `os.lseek`; return the new one."""
        ...

    def truncate(self, size: int) -> None:
        """Cut or extend (with zeros) to `size` bytes. Not atomic in a crash: see `model`."""
        ...

    def stat(self) -> Stat:
        """Describe the open file."""
        ...

    def sync(self) -> None:
        """Return when contents, size and attributes are on stable storage, the strongest way.

        After a failure the file must not be synced again: the kernel may have dropped the dirty
        pages, and a second sync would report success.
        """
        ...

    def sync_data(self) -> None:
        """Return when the contents, and the size needed to read them, are on stable storage.

        Attributes and times may be old after a power cut. After a failure, as after that of `sync`,
        the file must not be synced again.
        """
        ...

    def start_writeback(self) -> None:
        """Begin to write dirty pages, without waiting; a hint: no promise, and it never fails."""
        ...

    def drop_cache(self) -> None:
        """Let the system forget the pages that need no writing; a hint, and it never fails."""
        ...

    def words(self, count: int) -> Words:
        """Return `count` words at the start of the file, in the byte order of this machine.

        They live as long as anybody uses them, past `close` too, and hold no lock. What was stored
        outlives this process, but a power cut leaves old words or new ones. Nobody may cut the file
        shorter meanwhile: on most systems that kills who uses the words. `OSError(EINVAL)` if the
        file is no regular one or has fewer bytes.
        """
        ...

    def set_attributes(
        self, *, mode: int, owner: tuple[int, int] | None, xattrs: Mapping[str, bytes]
    ) -> None:
        """Give the file this owner (uid, gid), then these extended attributes, then this mode.

        The order matters: a change of owner clears the set-user-ID bits. What the caller may not
        set (another owner, a privileged attribute) is left out. When the owner could not be kept,
        set-ID bits are dropped; when the group could not, the set-group-ID bit, and the group gets
        no more than all others have, in the access list as well. An access list that cannot be set
        is an error.
        """
        ...

    def lock(self, *, shared: bool = False, block: bool = True) -> bool:
        """Take the whole-file lock of this description; False if it is busy and `block` is off."""
        ...

    def unlock(self) -> None:
        """Give the lock back."""
        ...

    def lock_range(
        self, start: int, size: int, *, shared: bool = False, block: bool = True
    ) -> bool:
        """Lock some bytes for this description; False if any is busy and `block` is off.

        They need not be in the file, and nobody is kept from reading or writing them. Independent
        of `lock`, except on macOS and NFS, where that is a lock of all bytes. What the description
        holds may be taken again, also as the other kind, and is kept until that is had; two that
        share and then both want to be alone wait for ever. Windows changes whole ranges alone (see
        `windows_ranges`).

        Raises:
            OSError: EBADF if `shared` is off and the file was opened to be read; EINVAL for no
            bytes; ENOTSUP where the system has no such locks.
        """
        ...

    def unlock_range(self, start: int, size: int) -> None:
        """Give back what is held of these bytes; silent where nothing is."""
        ...

    def duplicate(self) -> File:
        """Return another descriptor of this open file description: position and lock are shared."""
        ...

    def close(self) -> None:
        """Close; an error of the last write may surface here."""
        ...


class Folder(Protocol):
    """An open folder; every name is one component, looked up in it and never followed if a symlink.

    `open` alone follows a symlink, except in mode `new`.
    """

    @property
    def path(self) -> str:
        """The path it was opened by; for messages only."""
        ...

    def open(self, name: str, mode: OpenMode, *, permissions: int = 0o666) -> File:
        """Open a file; never blocks on a FIFO.

        New ones get `permissions` less the umask or default ACL.
        """
        ...

    def open_unnamed(self, *, permissions: int = 0o666) -> File:
        """Open a new file with no name, for `link`; `OSError(EOPNOTSUPP)` where there are none."""
        ...

    def link(self, source: File | str, name: str) -> None:
        """Name an unnamed open file, or the file `source`, `name`; `FileExistsError` if taken."""
        ...

    def rename(self, old: str, new: str, *, source: Folder | None = None) -> None:
        """Rename `old` (of folder `source`, or this one) to `new` here, atomically replacing it."""
        ...

    def unlink(self, name: str) -> None:
        """Remove a name that is not a folder."""
        ...

    def mkdir(self, name: str, *, permissions: int = 0o777) -> None:
        """Make a folder."""
        ...

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        ...

    def stat(self, name: str) -> Stat:
        """Describe a name without following it."""
        ...

    def xattrs(self, name: str) -> dict[str, bytes]:
        """Return the extended attributes, access lists among them; `{}` where there are none."""
        ...

    def names(self) -> list[str]:
        """List the names, in no order."""
        ...

    def sync(self) -> None:
        """Return when the names are on stable storage; silent where that cannot be (`Promises`)."""
        ...

    def close(self) -> None:
        """Close; idempotent."""
        ...


class VFS(Protocol):
    """A filesystem. Random tokens come from here too, so that a run can be replayed."""

    def folder(self, path: str, *, readable: bool = False) -> Folder:
        """Open a folder, following symlinks; `NotADirectoryError`, `FileNotFoundError`.

        Where the system allows it (Linux), a folder that may not be read, such as a drop box, is
        opened for looking up names alone: listing and syncing it are `PermissionError`. With
        `readable`, opening it is.
        """
        ...

    def stat(self, path: str) -> Stat:
        """Describe what a path leads to, following symlinks."""
        ...

    def resolve(self, path: str) -> str:
        """Return the absolute path with every symlink followed; the last part may be missing.

        A loop is `OSError(ELOOP)`, and a symlink that the system forbids to follow `EACCES`.
        """
        ...

    def token(self) -> str:
        """Return 16 hexadecimal digits that no other call, in any process, will return."""
        ...

    def holder(self, file: File) -> Holder | None:
        """Say who holds the whole-file lock of this file, as far as the system tells."""
        ...

    def announce(self, file: File) -> None:
        """Tell `holder` that this process took the exclusive lock of this lock file; never fails.

        Writes a line into the file where the system does not tell by itself (macOS, Windows), and
        nothing elsewhere. For files that carry nothing but their lock.
        """
        ...

    def fine_stamps(self, path: str, device: int) -> bool:
        """Say whether a file that begins to change after a look (`stat`) has other times at once.

        False where that is not known: then equal times of a young file prove nothing.

        Args:
            path: leads to the file, perhaps through symlinks.
            device: the `st_dev` of the file that is meant.
        """
        ...

    def boot(self) -> str:
        """Name this run of the machine, which a power cut ends; `""` where that is not known."""
        ...

    def promises(self, path: str) -> Promises:
        """Say what the place gives.

        Reads tables of the system, and may sync the folder to see whether that can be; changes
        nothing.
        """
        ...
