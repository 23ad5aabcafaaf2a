"""Names of the files that stand beside a document: its lock, its old versions, its damaged contents."""

from __future__ import annotations

import os

__all__ = ["beside"]

_NAME_MAX_BYTES = 255


def beside(name: str, suffix: str) -> str:
    """Return `name` + `suffix`, or, where that is too long for a file name, a cut name with a digest of the whole."""
    raw = os.fsencode(name)
    room = _NAME_MAX_BYTES - len(os.fsencode(suffix))
    if len(raw) <= room:
        return name + suffix
    from hashlib import blake2b

    digest = "." + blake2b(raw, digest_size=10).hexdigest()
    cut = room - len(digest)
    while raw[cut] & 0xC0 == 0x80:  # never within a UTF-8 character
        cut -= 1
    return os.fsdecode(raw[:cut]) + digest + suffix
