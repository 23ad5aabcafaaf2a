"""The layout of what the kernel tells; recordings show that it is right."""

from __future__ import annotations

import errno
import os

import pytest

from holdfast.crash.recorders import notify


def test_sizes_are_those_of_the_kernel():
    """struct seccomp_notif, _resp and _addfd, as the request numbers carry them."""
    sizes = [80, 24, 24]
    requests = [notify._RECEIVE, notify._SEND, notify._ADD_DESCRIPTOR]
    layouts = [notify._NOTIFICATION, notify._RESPONSE, notify._DESCRIPTOR]
    assert sizes == [layout.size for layout in layouts]
    assert sizes == [request >> 16 & 0x3FFF for request in requests]


def test_a_descriptor_that_is_no_listener(tmp_path):
    """An error, not silence; a thread behind it does not live."""
    file = os.open(tmp_path, os.O_RDONLY)
    told = notify.Notification(1, 1, 1, 1, 1, ())
    try:
        with pytest.raises(OSError, match="ioctl") as caught:
            notify.receive(file)
        assert errno.ENOTTY == caught.value.errno
        assert not notify.is_alive(file, told)
        with pytest.raises(OSError, match="ioctl"):
            notify.let_pass(file, told)
        notify.tune(file)
    finally:
        os.close(file)
