"""The registry: streams, of which a power cut may take a stated window.

A stream is not old or new: it grows, and is synced now and then. What holds of its bytes:

    not durable   a byte before a position that was told as durable is missing or another one
    torn          it is longer than all that was ever written
    unusable      what survived cannot be appended to

Of the bytes behind the last sync nothing holds. They are no prefix of what was written: the model,
and real filesystems too, may keep a later block and lose an earlier one, whose place holds zeros or
what was on the disk there before; and the size may have grown without the contents. So a position
that was told as durable is checked by the sum of all bytes before it, and of the rest its length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from threading import Event
from typing import Any
from zlib import crc32

from holdfast.crash.acknowledge import ack
from holdfast.primitives.stream import Stream
from tests.crash.places import Place
from tests.crash.promises import RECOVERING, RETURNED, Operation

OLD, OTHER = b"what was there before; " * 20, b"of somebody else"
PIECES = tuple(bytes([65 + number]) * size for number, size in enumerate((77, 300, 450, 20)))
MOST = len(OLD) + 3 * (len(PIECES[0]) + sum(map(len, PIECES)))
"""Done, done in the recovery, and done once more, with what a killed one left each time."""

NEVER_S = 3600.0
_ATTEMPTS = 5000


class Anything(tuple[bytes, ...]):
    """What the file of a stream may hold: that is for `Told` to say."""

    __slots__ = ()

    def __contains__(self, value: object) -> bool:
        return value is None or isinstance(value, bytes)


def told(at: Place, name: str, stream: Stream) -> None:
    """Acknowledge what the stream says of itself: `durable NAME POSITION SUM`."""
    position = stream.durable
    data = at.tree().get(name)
    assert isinstance(data, bytes)
    text = f"durable {name} {position} {crc32(data[:position])}"
    if at.memory is not None:
        at.memory.mark(text)
    else:
        ack(text)


def holds(at: Place, acked: Sequence[str], again: bool, *, name: str) -> None:
    """Check one state: every byte that was told as durable, and that there are not too many."""
    data = at.tree().get(name)
    contents = data if isinstance(data, bytes) else b""
    for words in (text.split() for text in acked if text.startswith(f"durable {name} ")):
        position, checksum = int(words[2]), int(words[3])
        assert len(contents) >= position, f"not durable: {name} has {len(contents)} bytes"
        found = crc32(contents[:position])
        assert checksum == found, f"not durable: the first {position} bytes of {name} are others"
    if name == "a":
        assert contents.startswith(OLD), "not durable: what was there before"
    if again or (RETURNED in acked and RECOVERING not in acked):
        ends = contents.endswith(b"".join(PIECES))
        assert ends, f"{'unusable' if again else 'not durable'}: {name} does not end as written"
    assert len(contents) <= MOST, f"torn: {name} has {len(contents)} bytes"


def append(at: Place, name: str = "a", buffer_bytes: int = 0) -> None:
    """Write all pieces, with a sync behind the first and the third; the end is a sync too."""
    options: dict[str, Any] = {"buffer_bytes": buffer_bytes, "sync_every_s": NEVER_S}
    with Stream(at.path(name), vfs=at.vfs, **options) as stream:
        for number, piece in enumerate(PIECES):
            stream.write(piece)
            if number % 2 == 0:
                stream.sync()
            told(at, name, stream)
    told(at, name, stream)


def through_a_full_window(at: Place, name: str = "a") -> None:
    """Nobody asks for a sync: each write needs the room of the last one."""
    data, size = b"".join(PIECES), 90
    with Stream(at.path(name), sync_every_s=NEVER_S, max_unsynced_bytes=100, vfs=at.vfs) as stream:
        for start in range(0, len(data), size):
            stream.write(data[start : start + size])
            told(at, name, stream)


def by_its_timer(at: Place, name: str = "a") -> None:
    """Nobody asks for a sync: the last byte is waited for."""
    with Stream(at.path(name), sync_every_s=0.001, vfs=at.vfs) as stream:
        stream.write(b"".join(PIECES))
        for _ in range(_ATTEMPTS):
            stream.flush()  # raises after a failed sync
            if stream.durable == stream.written:
                told(at, name, stream)
                return
            Event().wait(0.001)
        raise TimeoutError("the timer did not sync")


def left_by_a_killed_one(at: Place, name: str = "a") -> None:
    """Somebody has appended and died; what the next one finds there is durable when it is open."""
    with closing(at.vfs.folder(at.top)) as folder, closing(folder.open(name, "write")) as file:
        file.seek(0, 2)
        file.write(PIECES[0])
    with Stream(at.path(name), sync_every_s=NEVER_S, vfs=at.vfs) as stream:
        told(at, name, stream)
        stream.write(b"".join(PIECES))


def made_by_a_killed_one(at: Place, name: str = "c") -> None:
    """The same, of a file that the dead one has made: its name is durable as well."""
    with closing(at.vfs.folder(at.top)) as folder, closing(folder.open(name, "create")) as file:
        file.seek(0, 2)
        file.write(PIECES[0])
    with Stream(at.path(name), sync_every_s=NEVER_S, vfs=at.vfs) as stream:
        told(at, name, stream)
        stream.write(b"".join(PIECES))


def in_a_loop(at: Place, name: str = "a") -> None:
    """The twins for asyncio."""

    async def main() -> None:
        async with Stream(at.path(name), sync_every_s=NEVER_S, vfs=at.vfs) as stream:
            for piece in PIECES:
                await stream.awrite(piece)
                await stream.abarrier()
                told(at, name, stream)

    asyncio.run(main())


def stream(name: str, run: Callable[[Place], object], file: str = "a") -> Operation:
    """An operation on the stream in one file."""
    return Operation(
        f"Stream, {name}",
        run,
        {},
        {"a": OLD, "other": OTHER},
        loosely={"a": Anything()} if file == "a" else {},
        beside=() if file == "a" else (file, file.partition("/")[0]),
        holds=partial(holds, name=file),
    )


OPERATIONS = (
    stream("appended", append),
    stream("new file", partial(append, name="c"), "c"),
    stream("new folder", partial(append, name="x/c"), "x/c"),
    stream("full window", through_a_full_window),
    stream("buffered", partial(append, buffer_bytes=400)),
    stream("by its timer", by_its_timer),
    stream("left by a killed one", left_by_a_killed_one),
    stream("made by a killed one", made_by_a_killed_one, "c"),
    stream("asyncio", in_a_loop),
)
