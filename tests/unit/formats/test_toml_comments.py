"""Random changes of commented TOML files: what is not changed stays, line by line.

Each line of the corpus says in its comment what it belongs to: `@` for the line of a key, a header
or an item, `^` for a line above one.
"""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from holdfast.formats.keypath import KeyPath
from holdfast.formats.plain import clone, same
from holdfast.formats.toml_text import TomlCodec
from tests.support.budget import scaled

CODEC = TomlCodec()

SERVICE = '''# ^ the whole file

title = "x" # @title
# ^port
port = 8080 # @port
hosts = ["a", "b", "c"] # @hosts
nums = [ # @nums
    1, # @nums.0
    # ^nums.1
    2, # @nums.1
    3 # @nums.2
] # @nums
pairs = [[1, 2], # @pairs
  [3, # @pairs.1
   4]] # @pairs
inline = {a = 1, b = {c = "#", d = [1, 2]}} # @inline
text = """ # no comment, for # ^text
# nor this # ^text
[no.header] # ^text
""" # @text

# ^log
[log] # @log
level = 'info' # @log.level
path = 'C:\\dir' # @log.path

# ^log.file
[log.file] # @log.file
size = 1_000 # @log.file.size
kept = 0x0F # @log.file.kept

# a remark between the tables

# ^db
[db] # @db
host = "h" # @db.host
'''

INTERLEAVED = """# ^p.0
[[p]] # @p.0
n = 1 # @p.0.n
m = true # @p.0.m
[p.sub] # @p.0.sub
x = 1 # @p.0.sub.x

# ^other
[other] # @other
k = 1 # @other.k

# ^p.1
[[p]] # @p.1
n = 2 # @p.1.n
m = true # @p.1.m

[z] # @z
# ^z.k
k = 2 # @z.k

[[p]] # @p.2
n = 3 # @p.2.n
m = true # @p.2.m
[[p.q]] # @p.2.q.0
v = 1 # @p.2.q.0.v
[[p.q]] # @p.2.q.1
v = 2 # @p.2.q.1.v
[other.late] # @other.late
w = 1 # @other.late.w
"""

DOTTED = """a.b = 1 # @a.b
a.c.d = 2 # @a.c.d
other = 2 # @other
  "q k".x = 'y' # @q k.x
a.e = {f = 1} # @a.e
[t.u.v] # @t.u.v
w = 1 # @t.u.v.w
x.y = 2 # @t.u.v.x.y
x.z = 3 # @t.u.v.x.z
# ^t.a
[t.a] # @t.a
empty = [] # @t.a.empty
none = {} # @t.a.none
[x.y.z.w]    # @x.y.z.w
    indented   = 1 # @x.y.z.w.indented
    also       = [1979-05-27 07:32:00, 1979-05-27] # @x.y.z.w.also
"""

PROJECT = """[build-system] # @build-system
requires = ["hatchling>=1"] # @build-system.requires
[project] # @project
name = "thing" # @project.name
dependencies = [ # @project.dependencies
  # ^project.dependencies.0
  "a>=1", # @project.dependencies.0
  "b[x]>=2,<3", # @project.dependencies.1
  # "c", # ^project.dependencies
] # @project.dependencies
authors = [ # @project.authors
  {name = "A", email = "a@x"}, # @project.authors.0
  {name = "B", email = "b@x"}, # @project.authors.1
] # @project.authors
[project.urls] # @project.urls
"Home Page" = "https://x/#y" # @project.urls.Home Page
[tool.one] # @tool.one
line-length = 100 # @tool.one.line-length
[tool.one.lint] # @tool.one.lint
select = ["ALL"] # @tool.one.lint.select
[tool.two] # @tool.two
x = 1 # @tool.two.x
# a footer # ^tool.two
"""

CORPUS = {"service": SERVICE, "interleaved": INTERLEAVED, "dotted": DOTTED, "project": PROJECT}
MARK = re.compile(r"# ([@^])(\S[^#\n]*?)\s*$")
NEW = [7, "new # no comment", 1.5, True, [1, "x"], [], {}, {"k": 1}, {"k": {"l": [1]}}, [{"k": 1}]]


def containers(value: Any, path: KeyPath = ()) -> list[tuple[KeyPath, Any]]:
    """Each dict and list, with its path."""
    found = [(path, value)]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, (dict, list)):
            found += containers(item, (*path, key))
    return found


def change(chance: random.Random, value: Any, tops: set[Any]) -> tuple[str, KeyPath] | None:
    """Make one change below a top-level key that has none yet; what it was, and where."""
    place: Any
    path, place = chance.choice(containers(value))
    if isinstance(place, dict):
        kind = chance.choice(["add", "add", "delete", "set", "set"])
        key: Any = chance.choice(sorted(place) or ["new"])
        key = key if kind != "add" else chance.choice(["new", "new key", "zz"])
    else:
        kind = chance.choice(["insert", "append", "delete", "set"])
        key = chance.randrange(len(place)) if place else 0
        key = len(place) if kind == "append" else key
    top = (*path, key)[0]
    missing = key not in place if isinstance(place, dict) else key >= len(place)
    if top in tops or (missing and kind in ("delete", "set")) or (not missing and kind == "add"):
        return None
    tops.add(top)
    alike = place[0] if isinstance(place, list) and place else None
    if kind in ("insert", "append"):
        new = {"n": 99, "deep": {"x": 1}} if isinstance(alike, dict) else chance.choice(NEW[:4])
        place[key:key] = [new]
    elif kind == "delete":
        del place[key]
    else:
        old = place[key] if kind == "set" else None
        simple = isinstance(old, (dict, list)) or isinstance(place, list)
        place[key] = chance.choice(NEW[:4] if simple and kind == "set" else NEW)
        if isinstance(place, list) and isinstance(old, dict):
            place[key] = {"fresh": 1}
        lines = isinstance(old, str) and "\n" in old
        kind = "replace" if lines or isinstance(old, (dict, list)) else kind
    return kind, (*path, key)


def owner(line: str) -> tuple[str, tuple[str, ...]]:
    """The mark of a line and the path behind it; nothing for a line that has none."""
    match = MARK.search(line)
    return (match[1], tuple(match[2].split("."))) if match else ("", ())


def may_go(line: str, kind: str, path: tuple[str, ...]) -> bool:
    """Whether the change may take the line away, with its comment."""
    place = owner(line)[1]
    return kind in ("delete", "replace") and bool(place) and place[: len(path)] == path


def may_change(line: str, kind: str, path: tuple[str, ...]) -> bool:
    """Whether the change may write the line anew; its comment stays.

    It is that of the value, or of an array or an inline table around it, or of the item before a
    new last one, which gets a comma.
    """
    mark, place = owner(line)
    if kind == "append" and place[:-1] == path[:-1]:
        return "," not in line and path[-1] == str(int(place[-1]) + 1)
    return mark == "@" and line[:1] != "[" and path[: len(place)] == place


def lost(old: str, new: str, changes: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    """Lines and comments of the old text that had to stay, and did not, in their order."""
    found = []
    rest = iter(new.splitlines())
    for line in old.splitlines():
        if not line.strip() or any(may_go(line, *one) for one in changes):
            continue
        wanted = line
        if any(may_change(line, *one) for one in changes):
            wanted = line[MARK.search(line).start() :]  # type: ignore[union-attr]
        if not any(other == line or (wanted != line and wanted in other) for other in rest):
            found.append(line)
            rest = iter(new.splitlines())
    return found


def variants(text: str) -> list[str]:
    return [text, text.replace("\n", "\r\n"), text.rstrip("\n")]


def try_one(chance: random.Random, text: str) -> str:
    """What became of one to three changes: "ok" or "refused"."""
    value = CODEC.decode(text.encode())
    new, tops = clone(value), set[Any]()
    wanted = chance.choice((1, 1, 1, 2, 3))
    found = [one for _ in range(wanted) if (one := change(chance, new, tops)) is not None]
    try:
        result = CODEC.encode(new, previous=text.encode()).decode()
    except ValueError:
        return "refused"
    changes = [(kind, tuple(map(str, path))) for kind, path in found]
    assert same(new, CODEC.decode(result.encode())), found
    assert [] == lost(text, result, changes), (found, result)
    if "\r\n" in text:
        assert result.count("\r") == result.count("\n")
    assert text.endswith("\n") == result.endswith("\n"), found
    if [kind for kind, _ in changes] == ["set"] and text.count("\n") == result.count("\n"):
        pairs = zip(text.splitlines(), result.splitlines(), strict=True)
        assert len([1 for a, b in pairs if a != b]) <= 1 + text.count('"""')
    return "ok"


@pytest.mark.parametrize("name", CORPUS)
def test_what_a_change_does_not_touch_stays_line_by_line(name):
    """Comments, order and layout, with either line end and without a last one."""
    chance = random.Random(f"toml {name}")
    seen = {"ok": 0, "refused": 0}
    for _ in range(scaled(120)):
        for text in variants(CORPUS[name]):
            seen[try_one(chance, text)] += 1
    print(name, seen)
    assert seen["refused"] == 0
