"""Stored recordings against any recording, and against any damage."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.crash.recording import Call, Recording, Site
from holdfast.crash.stored import decode, encode
from holdfast.errors import Corruption
from holdfast.vfs import operations as ops
from holdfast.vfs.operations import ROOT, Node
from tests.support import recordings

texts = st.text(max_size=8)
names = st.text(min_size=1, max_size=6).filter(
    lambda name: name not in {".", ".."} and "/" not in name and "\0" not in name
)
xattrs = st.lists(st.tuples(texts, st.binary(max_size=5)), max_size=2).map(tuple)
numbers = st.integers(0, 1 << 40)
operations = st.one_of(
    st.builds(ops.Write, st.just(2), st.integers(0, 1 << 20), st.binary(max_size=20)),
    st.builds(ops.Truncate, st.just(2), st.integers(0, 1 << 26)),
    st.builds(
        ops.SetAttributes,
        st.just(2),
        st.none() | numbers,
        st.none() | st.tuples(numbers, numbers),
        xattrs,
    ),
    st.builds(ops.Link, st.just(ROOT), names, st.just(2)),
    st.builds(ops.SyncFile, st.just(2), st.booleans()),
    st.builds(ops.SyncFailed, st.just(2)),
    st.builds(ops.Mark, texts),
)
sites = st.lists(st.builds(Site, texts, numbers, texts), max_size=2).map(tuple)
calls = st.builds(Call, numbers, texts, numbers, numbers, sites, st.none() | texts)


@st.composite
def any_recordings(draw) -> Recording:
    made = draw(st.lists(operations, max_size=6))
    name = draw(names)
    return Recording(
        before={
            ROOT: Node("folder", entries=((name, 2),)),
            2: Node("file", data=draw(st.binary(max_size=20)), xattrs=draw(xattrs)),
        },
        operations=tuple(made),
        origins=(0,) * len(made),
        calls=tuple(draw(st.lists(calls, min_size=1, max_size=3))),
        after={ROOT: Node("folder")},
        status=draw(st.integers(-64, 255)),
        recorder=draw(texts),
        notes=tuple(draw(st.lists(texts, max_size=2))),
    )


@given(recording=any_recordings())
def test_any_recording_comes_back(recording) -> None:
    """Whatever texts and bytes are in it."""
    assert decode(encode(recording), path="x") == recording


SMALL = recordings.replace(data=b"new")
BYTES = encode(SMALL)


def is_read(data: bytes) -> bool:
    """Whether a damaged file is still read; as anything else but the recording it must not be."""
    try:
        found = decode(data, path="x")
    except Corruption as error:
        placed = error.path == "x" and error.offset is not None and error.offset <= len(data)
        if not placed:
            raise
        return False
    assert found == SMALL
    return True


def test_every_cut_is_refused() -> None:
    """At each byte."""
    assert is_read(BYTES)
    assert [] == [size for size in range(len(BYTES)) if is_read(BYTES[:size])]


def test_every_flipped_bit_is_refused() -> None:
    """Each of each byte."""
    wrong = []
    for number in range(len(BYTES) * 8):
        damaged = bytearray(BYTES)
        damaged[number // 8] ^= 1 << number % 8
        if is_read(bytes(damaged)):
            wrong.append(number)

    assert [] == wrong


@given(data=st.data())
def test_lines_that_are_lost_doubled_or_swapped_are_refused(data) -> None:
    """Each line is whole, and yet the chain of checksums breaks."""
    lines = BYTES.splitlines(keepends=True)
    one = data.draw(st.integers(1, len(lines) - 1))
    other = data.draw(st.integers(1, len(lines) - 1))
    how = data.draw(st.sampled_from(["lost", "doubled", "swapped"]))
    if how == "lost":
        del lines[one]
    elif how == "doubled":
        lines.insert(other, lines[one])
    else:
        lines[one], lines[other] = lines[other], lines[one]

    changed = b"".join(lines)
    assert is_read(changed) == (changed == BYTES)
