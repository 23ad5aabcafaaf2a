"""The argument of LOOP_CONFIGURE."""

from __future__ import annotations

import struct

from holdfast.crash.disks.loop import pack_config


def test_config_has_the_kernels_size_and_places() -> None:
    """struct loop_config is 304 bytes: descriptor, block size, flags at byte 60 and the name."""
    config = pack_config(7, block_bytes=4096, direct=True)

    assert (304, 7, 4096) == (len(config), *struct.unpack_from("<II", config))
    assert (4 | 16,) == struct.unpack_from("<I", config, 60)
    assert b"holdfast\0" == config[64:73]


def test_device_goes_when_its_last_user_goes() -> None:
    """AUTOCLEAR is set always, direct I/O where it is asked for."""
    assert (4,) == struct.unpack_from("<I", pack_config(7, block_bytes=512, direct=False), 60)
