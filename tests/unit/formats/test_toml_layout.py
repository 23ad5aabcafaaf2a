"""Changes of a TOML text at their places."""

from __future__ import annotations

import pytest

from holdfast.formats.diff import diff
from holdfast.formats.toml_layout import rewrite
from holdfast.formats.toml_text import TomlCodec

CODEC = TomlCodec()


def after(text: str, change) -> str:
    value = CODEC.decode(text.encode())
    change(value)
    return CODEC.encode(value, previous=text.encode()).decode()


CASES = {
    "a comment above the next table stays when a table goes": (
        "[a]\nx = 1\n\n# about b\n[b]\ny = 1\n",
        lambda d: d.pop("a"),
        "# about b\n[b]\ny = 1\n",
    ),
    "the comment of the second item stays when the first one goes": (
        "[[p]]\nn=1\n# about 2\n[[p]]\nn=2\n",
        lambda d: d["p"].pop(0),
        "# about 2\n[[p]]\nn=2\n",
    ),
    "a new item does not stand between a comment and its table": (
        "[[p]]\nn=1\n# about q\n[q]\n",
        lambda d: d["p"].append({"n": 2}),
        "[[p]]\nn=1\n\n[[p]]\nn = 2\n\n# about q\n[q]\n",
    ),
    "a table of dotted keys gets a dotted key": (
        "a.b = 1 # c1\nother = 2\n",
        lambda d: d["a"].update(d={"x": 1}),
        "a.b = 1 # c1\na.d = {x = 1}\nother = 2\n",
    ),
    "a value that becomes a table keeps the comment behind it": (
        "d = 1 # c1\n",
        lambda d: d.update(d={"k": {"x": 1}}),
        "d = {k = {x = 1}} # c1\n",
    ),
    "the comment directly above a table goes with it, others stay": (
        "# head\n\n# loose\n\n# about a\n[a]\nx = 1 # c\n# below\n\n# loose too\n\n[b]\n",
        lambda d: d.pop("a"),
        "# head\n\n# loose\n\n# loose too\n\n[b]\n",
    ),
    "the comment at the head of the file is of the file": (
        "# head\n[a]\nx = 1\n[b]\n",
        lambda d: d.pop("a"),
        "# head\n[b]\n",
    ),
    "the comment above a key stays": (
        "# about x\nx = 1 # c\ny = 2\n",
        lambda d: d.pop("x"),
        "# about x\ny = 2\n",
    ),
    "tables between the items of an array stay where they are": (
        "[[p]]\nn = 1\n[q] # q\n[[p]]\nn = 2\n[p.s] # s\n[r] # r\n",
        lambda d: (d["p"][0].update(t={"x": 1}), d["p"].append({"n": 3})),
        "[[p]]\nn = 1\n\n[p.t]\nx = 1\n\n[q] # q\n[[p]]\nn = 2\n[p.s] # s\n[[p]]\nn = 3\n[r] # r\n",
    ),
    "a blank line below a table that goes stays where there is none above": (
        "x = 1\n[a]\ny = 1\n\n[b]\nz = 1\n\n[c]\n",
        lambda d: (d.pop("a"), d.pop("b")),
        "x = 1\n\n[c]\n",
    ),
    "a new table of an item stands before the next new item": (
        "x = 1 # c\n\n[[p]]\nn = 1\n",
        lambda d: (d["p"][0].update(t={"y": 1}), d["p"].append({"n": 3})),
        "x = 1 # c\n\n[[p]]\nn = 1\n\n[p.t]\ny = 1\n\n[[p]]\nn = 3\n",
    ),
    "an item goes with its own tables alone": (
        "[[p]]\nn = 1\n[q] # q\n[[p]]\nn = 2\n[r] # r\n[p.s] # s\n[t]\n",
        lambda d: d["p"].pop(1),
        "[[p]]\nn = 1\n[q] # q\n[r] # r\n[t]\n",
    ),
    "an item is put before another one and its comment": (
        "x = 1\n\n[[p]]\nn = 1\n\n# two\n[[p]]\nn = 2\n",
        lambda d: d["p"].insert(1, {"n": 9}),
        "x = 1\n\n[[p]]\nn = 1\n\n[[p]]\nn = 9\n\n# two\n[[p]]\nn = 2\n",
    ),
    "without its last item the array is still there": (
        "# h\n[[p]]\nn = 1\n[q]\n",
        lambda d: d["p"].pop(),
        "# h\n\np = []\n\n[q]\n",
    ),
    "a table that only another one implied is still there without it": (
        "# h\n[x.a.b]\nn = 1\n",
        lambda d: d["x"]["a"].pop("b"),
        "# h\n\n[x.a]\n",
    ),
    "an implied table gets a header": (
        "[x.a] # c\n",
        lambda d: d["x"].update(k=1),
        "[x.a] # c\n\n[x]\nk = 1\n",
    ),
    "new keys take the style of the last one": (
        "[a]\n    long = 1 # c\n    b    = 2\n[c]\nd='x'\n",
        lambda d: (d["a"].update(k=3), d["c"].update(e=4)),
        "[a]\n    long = 1 # c\n    b    = 2\n    k    = 3\n[c]\nd='x'\ne=4\n",
    ),
    "a key of the file stands before the first table": (
        "# h\n\n# about t\n[t]\n",
        lambda d: d.update(x=1),
        "# h\n\nx = 1\n\n# about t\n[t]\n",
    ),
    "a new table stands behind those of its table": (
        "[a]\nx = 1\n[a.b]\n# about c\n[c]\n",
        lambda d: d["a"].update(n={"y": [1], "z": {}}),
        "[a]\nx = 1\n[a.b]\n\n[a.n]\ny = [1]\n\n[a.n.z]\n\n# about c\n[c]\n",
    ),
    "tables that change their kind are written anew": (
        "# h\n\n[t]\nx = 1\n[u]\n",
        lambda d: d.update(t=5),
        "# h\n\nt = 5\n\n[u]\n",
    ),
    "an item of a line of its own goes with the line": (
        "x = [\n  1, # one\n  # above\n  2 # two\n]\n",
        lambda d: d["x"].pop(),
        "x = [\n  1, # one\n  # above\n]\n",
    ),
    "a new item gets a line of its own where others have one": (
        "x = [\n  1, # one\n  2 # two\n] # c\n",
        lambda d: d["x"].extend([3, {"a": 1}]),
        "x = [\n  1, # one\n  2, # two\n  3,\n  {a = 1}\n] # c\n",
    ),
    "also before all others": (
        "x = [ # c\n  1, # one\n]\n",
        lambda d: d["x"].insert(0, 0),
        "x = [ # c\n  0,\n  1, # one\n]\n",
    ),
    "items on one line are put between each other": (
        "x = [1,3] # c\ny = [ 1, 2 ] # d\n",
        lambda d: (d["x"].insert(1, 2), d["y"].insert(0, 0)),
        "x = [1,2,3] # c\ny = [ 0, 1, 2 ] # d\n",
    ),
    "what stands between items stays": (
        "x = [1, 2, # two\n     3]\n",
        lambda d: d["x"].pop(),
        "x = [1, 2, # two\n     ]\n",
    ),
    "an array is emptied, a comment in it stays": (
        "x = [\n  1,\n  # why\n  2,\n]\ny = [\n  1\n]\n",
        lambda d: (d["x"].clear(), d["y"].clear()),
        "x = [\n  # why\n]\ny = []\n",
    ),
    "an empty array is filled": (
        "x = [ # why\n]\ny = [ ] # c\n",
        lambda d: (d["x"].append(1), d["y"].append(1)),
        "x = [1 # why\n]\ny = [1] # c\n",
    ),
    "an inline table loses and gets keys": (
        "x = { a = 1, b = 2 } # c\ny = { a = 1, b = 2 } # c\nz = {} # c\n",
        lambda d: (d["x"].pop("b"), d["x"].update(c=3), d.update(y={"c": 3}), d["z"].update(c=3)),
        "x = { a = 1, c = 3 } # c\ny = { c = 3 } # c\nz = {c = 3} # c\n",
    ),
    "an inline table of dotted keys is written anew": (
        "x = {a.b = 1, a.c = 2} # c\n",
        lambda d: d["x"]["a"].update(d=3),
        "x = {a = {b = 1, c = 2, d = 3}} # c\n",
    ),
    "text over several lines stays so": (
        's = """\nx # no\n""" # c\n' + "t = '''\ny\n''' # d\n",
        lambda d: d.update(s='a"""b\\\n\tq"', t="a\nb"),
        's = """\na\\"""b\\\\\n\tq\\"""" # c\n' + "t = '''\na\nb''' # d\n",
    ),
    "quoted and escaped keys are found": (
        '"q k"."\\u0061" = 1 # c\n[ "t u" . \'v\' ] # d\nx = 1\n',
        lambda d: (d["q k"].update(a=2), d["t u"]["v"].pop("x")),
        '"q k"."\\u0061" = 2 # c\n[ "t u" . \'v\' ] # d\n',
    ),
    "without comments a list may become another kind": (
        "[[p]]\nn = 1\n[[p]]\nn = 2\n[q]\n# d\n",
        lambda d: d["p"].append(5),
        "p = [{n = 1}, {n = 2}, 5]\n\n[q]\n# d\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_change_stands_at_its_place(name, newline):
    """And nothing else changes, with either line end."""
    text, change, expected = CASES[name]
    result = after(text.replace("\n", newline), change)
    assert expected.replace("\n", newline) == result


@pytest.mark.parametrize("name", CASES)
def test_a_file_without_a_last_line_end_stays_so(name):
    """Whatever is added at its end."""
    text, change, expected = CASES[name]
    assert expected.removesuffix("\n") == after(text.removesuffix("\n"), change)


AGAIN = ("still there", "another kind", "dotted keys is")
"""These are written a second time, or by a larger change."""


@pytest.mark.parametrize("name", [name for name in CASES if not any(w in name for w in AGAIN)])
def test_one_rewriting_is_enough_unless_something_empty_is_left(name):
    """What an edit needs at one place comes in the right order at once."""
    text, change, expected = CASES[name]
    old, new = CODEC.decode(text.encode()), CODEC.decode(text.encode())
    change(new)
    assert expected == rewrite(text, diff(old, new))


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("[[p]]\nn = 1 # c\n[[p]]\nn = 2\n", lambda d: d["p"].append(5)),
        ("[[p]]\nn = 1 # c\n[[p]]\nn = 2\n", lambda d: d["p"].__setitem__(1, 5)),
        ("x = {a.b = [ # c\n1], a.c = 2}\n", lambda d: d["x"]["a"].update(d=3)),
    ],
)
def test_what_would_lose_a_comment_is_refused(text, change):
    """A number cannot stand among tables that have headers, for one."""
    with pytest.raises(ValueError, match="cannot be made without losing comments"):
        after(text, change)
