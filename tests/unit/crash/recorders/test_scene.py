"""What is recorded, and what lies elsewhere."""

from __future__ import annotations

import os

import pytest

from holdfast.crash.recorders.scene import Place, Scene
from holdfast.crash.recorders.syscalls import X86_64


@pytest.fixture
def scene(tmp_path):
    """A recorded folder with a folder and a file in it."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").touch()
    made = Scene(X86_64, str(tmp_path))
    made.start()
    yield made
    made.close()


def test_places_are_found_by_folder(scene, tmp_path):
    """In the recorded folder, outside of it, and below what is no folder."""
    descriptors = [os.open(path, os.O_RDONLY) for path in (tmp_path / "d", "/", tmp_path / "d/f")]
    inside, outside, file = descriptors
    place = scene.place_at(inside, b"x")
    assert place is not None
    assert "d/x" == scene.ledger.entry_path(*place)
    assert "'d/x'" == scene.entry_label(place)
    assert None is scene.place_at(outside, b"x")
    with pytest.raises(NotADirectoryError):
        scene.place_at(file, b"x")
    assert None is not scene.file(file)
    assert None is scene.file(inside)
    for descriptor in descriptors:
        os.close(descriptor)


def test_labels_name_the_folder_itself(scene):
    """It is the dot."""
    assert "'.'" == scene.label(1)
    assert "'x'" == scene.entry_label(Place(1, "x"))
