"""What a folder can do is found by trying, and what it cannot do is a fact, not an error."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from holdfast.vfs import features
from holdfast.vfs.linux import LinuxFolder
from holdfast.vfs.probe import probe
from tests.support.stand_ins import refusing, standing_in

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stand-ins are those of Linux")


@pytest.mark.parametrize(
    ("question", "file_methods", "folder_methods"),
    [
        (features.has_unnamed, {}, {"open_unnamed": refusing(errno.EIO)}),
        (features.has_links, {}, {"link": refusing(errno.EIO)}),
        (features.spares_taken_names, {}, {"link": refusing(errno.EIO)}),
        (features.locks_exclude, {"lock": refusing(errno.EIO)}, {}),
        (features.has_attributes, {"set_attributes": refusing(errno.EIO)}, {}),
        (features.longest_name, {}, {"open": refusing(errno.EIO)}),
        (features.folds_case, {}, {"stat": refusing(errno.EIO)}),
    ],
)
def test_failing_disk_is_an_error(tmp_path, question, file_methods, folder_methods) -> None:
    """An I/O error is no answer to any question."""
    for name in ("append", "contents"):
        (tmp_path / name).write_bytes(b"")
    folder = standing_in(file_methods, folder_methods).folder(str(tmp_path))

    with pytest.raises(OSError) as caught:
        question(folder)
    folder.close()

    assert errno.EIO == caught.value.errno


def test_missing_features_are_seen(tmp_path) -> None:
    """Links, unnamed files and attributes that the filesystem refuses are facts, not errors."""
    vfs = standing_in(
        {"set_attributes": refusing(errno.ENOTSUP)},
        {"link": refusing(errno.EPERM), "open_unnamed": refusing(errno.EOPNOTSUPP)},
    )

    facts = probe(str(tmp_path), vfs=vfs, seconds=0.01)

    assert not facts.hard_links
    assert not facts.no_clobber
    assert not facts.unnamed
    assert not facts.attributes


def test_link_that_clobbers_is_seen(tmp_path) -> None:
    """A link over a taken name, which must be refused, is told when it is not."""

    def link(self, source, name) -> None:
        if isinstance(source, str):
            if name in self.names():
                self.unlink(name)
            LinuxFolder.link(self, source, name)

    facts = probe(str(tmp_path), vfs=standing_in({}, {"link": link}), seconds=0.01)

    assert facts.hard_links
    assert not facts.no_clobber


@pytest.mark.parametrize(
    "lock", [lambda self, **options: True, lambda self, **options: False, refusing(errno.ENOLCK)]
)
def test_lock_that_excludes_nobody_is_seen(tmp_path, lock) -> None:
    """A lock that everybody gets, nobody gets, or that does not exist, excludes nobody."""
    facts = probe(str(tmp_path), vfs=standing_in({"lock": lock}), seconds=0.01)

    assert not facts.locks_exclude


@pytest.mark.parametrize("longest", [14, 143, 254, 255])
def test_longest_name_is_found(tmp_path, longest) -> None:
    """The search finds the limit, whatever it is."""

    def open_file(self, name, mode, **options):
        if len(name) > longest and name.startswith("n"):
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), name)
        return LinuxFolder.open(self, name, mode, **options)

    facts = probe(str(tmp_path), vfs=standing_in({}, {"open": open_file}), seconds=0.01)

    assert longest == facts.name_max_bytes


def test_folded_case_is_seen(tmp_path) -> None:
    """A filesystem in which `APPEND` is `append` is told."""

    def stat(self, name):
        return LinuxFolder.stat(self, name.lower())

    facts = probe(str(tmp_path), vfs=standing_in({}, {"stat": stat}), seconds=0.01)

    assert facts.folds_case
