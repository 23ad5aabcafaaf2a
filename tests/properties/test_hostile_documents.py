"""Bytes that nobody meant as a document: a value or a `DecodeError`, quickly, and nothing else.

`HOLDFAST_HOSTILE` says how many inputs are tried in all.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

import pytest

from holdfast.errors import DecodeError
from holdfast.formats.codec import codec_for
from holdfast.formats.plain import clone, same

COUNT = int(os.environ.get("HOLDFAST_HOSTILE", "3000"))
SHARE = {"json": 0.5, "toml": 0.3, "yaml": 0.2}
LIMIT_S = 10.0
"""Far above what any of these needs, so that a busy machine does not fail; a hang does."""

SEEDS: dict[str, list[bytes]] = {
    "json": [
        b'{"a": 1, "b": [1, 2.5e3, -0, null, true], "c": {"d": "x\\u00e9\\n", "e": {}}, "a": 2}\n',
        b'\xef\xbb\xbf{\r\n\t"k" : "v",\r\n\t"n" : [ ]\r\n}',
        b"[NaN, Infinity, -Infinity, 123456789012345678901234567890]",
        '{"é": "\U0001f600", "s": "\\ud83d"}'.encode(),
    ],
    "toml": [
        b'# c\na = 1 # one\nb.c = "x"\n[t]\nd = 2026-01-01T10:00:00Z\ne = [1, 2, # two\n 3]\n',
        b'[[p]]\nn = \'x\'\n[[p]]\nn = """\ny\n"""\n[p.q]\nr = {s = 1, t.u = 2}\n[o]\n[t.x]\n[t]\n',
        b'\xef\xbb\xbfx = 0x1F\r\ny = inf\r\nz = 07:32:00\r\n"q k" = nan\r\n',
    ],
    "yaml": [
        b"# c\na: 1 # one\nb:\n  - x\n  - {y: 'z', w: \"q\\n\"}\nc: |\n  text\n   more\n\nd: ~\n",
        b"x: &a {k: [1, 2]}\ny: *a\nz:\n  <<: *a\n  m: 2026-01-01\n",
        b"--- # doc\n- - a\n  - b: >-\n      folded\n\n      text\n- ? k\n  : v\n- !!str 5\n...\n",
        b"\xef\xbb\xbfa: b\r\nc:\r\n- d\r\n",
    ],
}
PIECES = [
    b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"[", b"{", b"]", b"}", b'"', b"'",
    b":", b": ", b"- ", b"#", b"&a ", b"*a", b"<<: ", b"!!x ", b"| ", b"> ",
    b"%", b"\n", b"\r", b"\t",
    b"\n---\n", b"=", b".", b",", b"1e999", b"-", b"NaN", b"\\u", b"\\ud800", b"'''", b'"""',
    b"\xe2\x80\xa8", b"\xc2\x85", b"0" * 30, b"9" * 5000, b"true", b"null",
]  # fmt: skip
REPEATED = [
    b"[",
    b"{",
    b'{"a":',
    b"a.",
    b"- ",
    b"? ",
    b"[[",
    b"{a: ",
    b"a: ",
    b"((",
    b'"a".',
    b"[a.",
]


def mutated(chance: random.Random, seed: bytes) -> bytes:
    """The seed after one to four changes: cut, flipped, stuffed, doubled or nested."""
    data = bytearray(seed)
    for _ in range(chance.choice((1, 1, 2, 4))):
        at, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        kind = chance.randrange(6)
        if kind == 0:
            del data[at : min(end, at + 12)]
        elif kind == 1 and at < len(data):
            data[at] = chance.randrange(256)
        elif kind == 2:
            data[at:at] = chance.choice(PIECES)
        elif kind == 3:
            data[at:at] = data[at : min(end, at + 40)]
        elif kind == 4:
            del data[at:]
        elif chance.random() < 0.1:
            data[at:at] = chance.choice(REPEATED) * chance.choice((5, 50, 500, 5000))
    return bytes(data)


def edited(chance: random.Random, value: Any) -> Any:
    """The value with one thing changed."""
    new = clone(value)
    if isinstance(new, dict):
        key = chance.choice([*new, "new"])
        if key in new and chance.random() < 0.3:
            del new[key]
        else:
            new[key] = chance.choice([7, "text", "a: b", [1, "x"], {"k": 1}, -0.5, {}])
    elif isinstance(new, list):
        new.insert(chance.randint(0, len(new)), chance.choice([7, "text", {"k": [1]}]))
        del new[chance.randint(0, len(new) - 1)]
    else:
        return "changed" if new != "changed" else "again"
    return new


def try_one(name: str, data: bytes, chance: random.Random) -> str:
    """What became of it: "refused", "read", "changed" or "kept" (a value, but no change)."""
    codec = codec_for("", name)
    try:
        value = codec.decode(data)
    except DecodeError as error:
        return "refused" if error.message and (error.line is None or error.line > 0) else "unnamed"
    assert codec.encode(value, previous=data) is data
    new = edited(chance, value)
    try:
        result = codec.encode(new, previous=data)
    except (ValueError, TypeError):
        return "kept"
    assert same(new, codec.decode(result))
    return "changed"


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["json", "toml", "yaml"])
def test_mutated_documents_are_read_or_refused(name):
    """A value or a DecodeError, in bounded time; an edit is written and verified, or refused."""
    chance = random.Random(f"hostile {name}")
    seen: dict[str, int] = dict.fromkeys(("refused", "kept", "changed"), 0)
    for _ in range(round(COUNT * SHARE[name])):
        data = mutated(chance, chance.choice(SEEDS[name]))
        start = time.monotonic()
        try:
            seen[try_one(name, data, chance)] += 1
        except BaseException as error:
            error.add_note(f"input: {data[:300]!r} ({len(data)} bytes)")
            raise
        assert time.monotonic() - start < LIMIT_S, data[:300]
    print(name, seen)
    assert seen["refused"]
    assert seen["changed"] > seen["kept"]


NESTED = {
    "json": [b"[", b'{"a":', b'[{"a":'],
    "toml": [b"a = [", b"[", b"a.", b'"a".', b"[a.", b"a = {b = ", b"a = [["],
    "yaml": [b"[", b"{", b'{"a":', b"- ", b"? ", b"{a: ", b"- [", b"a: ", b"!!", b"&a "],
}


@pytest.mark.parametrize(
    ("name", "opening"), [(name, opening) for name in NESTED for opening in NESTED[name]]
)
def test_a_hundred_thousand_levels_are_refused(name, opening):
    """No depth of nesting exhausts the stack or the time."""
    start = time.monotonic()
    with pytest.raises(DecodeError):
        codec_for("", name).decode(opening * 100_000)
    assert time.monotonic() - start < LIMIT_S


@pytest.mark.parametrize("name", ["json", "toml", "yaml"])
@pytest.mark.parametrize("depth", [100, 127, 128, 129, 400, 900])
def test_depth_is_bounded_the_same_way_for_reading_and_writing(name, depth):
    """What can be read can be written, and deeper values are refused by both."""
    codec = codec_for("", name)
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    value = {"a": value}
    if depth <= 128:
        assert same(value, codec.decode(codec.encode(value)))
        return
    with pytest.raises(ValueError, match="nested deeper"):
        codec.encode(value)
    text = {"json": '{"a":', "toml": "a = ", "yaml": "a: "}[name] + "[" * (depth - 1)
    text += "]" * (depth - 1) + ("}" if name == "json" else "")
    with pytest.raises(DecodeError):
        codec.decode(text.encode())


@pytest.mark.parametrize("name", ["json", "toml", "yaml"])
def test_a_value_that_holds_itself_is_refused(name):
    """A cycle is a ValueError, not an endless walk."""
    value: dict[str, Any] = {}
    value["me"] = [value]
    with pytest.raises(ValueError, match="nested deeper"):
        codec_for("", name).encode(value)
    with pytest.raises(ValueError, match="nested deeper"):
        codec_for("", name).encode(value, previous=b"{}" if name == "json" else b"")
