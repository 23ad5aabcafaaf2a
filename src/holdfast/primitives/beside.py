"""Names beside a file: its lock, its journal, its old versions, its damaged contents."""

from __future__ import annotations

import os

__all__ = ["beside"]

_NAME_MAX_BYTES = 255


def beside(name: str, suffix: str) -> str:
    """Return `name` + `suffix`, cut and with a digest of the whole where that is too long a name.

    Different names never share a result, and no character is cut in two.
    """
    raw = os.fsencode(name)
    room = _NAME_MAX_BYTES - len(os.fsencode(suffix))
    if len(raw) <= room:
        return name + suffix
    from hashlib import blake2b

    digest = "." + blake2b(raw, digest_size=10).hexdigest()
    end = room - len(digest)
    # No character has more than three further bytes; more of them are no text, and cut anywhere.
    cut = next((at for at in range(end, end - 4, -1) if raw[at] & 0xC0 != 0x80), end)
    return os.fsdecode(raw[:cut]) + digest + suffix
