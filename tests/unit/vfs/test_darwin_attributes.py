"""The calls of macOS for attributes, made on Linux, whose own take the same first arguments."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from holdfast.vfs.darwin_attributes import ACCESS_LIST, read_attributes, set_attribute

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="leans on the calls of Linux")


@pytest.fixture
def fd(tmp_path):
    opened = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def test_attributes_come_back(fd) -> None:
    """What was set is read, empty values and all bytes too."""
    wanted = {"user.empty": b"", "user.all": bytes(range(256))}
    for name, value in wanted.items():
        set_attribute(fd, name, value)

    assert wanted == {k: v for k, v in read_attributes(fd).items() if k in wanted}
    assert bytes(range(256)) == os.getxattr(fd, "user.all")


def test_name_that_is_no_text_comes_back(fd) -> None:
    """A name in any bytes is kept as Python keeps file names."""
    name = os.fsdecode(b"user.\xff")
    set_attribute(fd, name, b"1")

    assert b"1" == read_attributes(fd)[name]


def test_file_without_attributes_has_none(fd) -> None:
    """An ordinary file gives an empty mapping, and no access list."""
    found = read_attributes(fd)

    assert ACCESS_LIST not in found
    assert {} == {k: v for k, v in found.items() if k.startswith("user.")}


@pytest.mark.parametrize("act", [read_attributes, lambda fd: set_attribute(fd, "user.a", b"")])
def test_closed_descriptor_is_an_error(act) -> None:
    """The errno of the call is that of the error."""
    with pytest.raises(OSError) as caught:
        act(-1)

    assert errno.EBADF == caught.value.errno


def test_access_list_without_the_calls_for_it_is_refused(fd) -> None:
    """A C library without access lists cannot set one, and says so."""
    with pytest.raises(OSError) as caught:
        set_attribute(fd, ACCESS_LIST, b"!#acl 1\n")

    assert errno.ENOTSUP == caught.value.errno
