"""docs/reference/files.md names every file that is made beside the user's, and their true sizes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import holdfast
from holdfast.primitives import temp
from holdfast.primitives.beside import beside
from holdfast.primitives.private_folder import PrivateFolder
from holdfast.state.kept import kept_name
from holdfast.vfs import SYSTEM
from holdfast.vfs.probe import probe
from holdfast.vfs.trace import Trace

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/files.md").read_text("utf-8")
TOKEN = "0123456789abcdef"
PARTS = {"TOKEN": "[0-9a-f]{16}", "SERIAL": "[0-9a-f]{1,8}", "NUMBER": "[1-9][0-9]*"}


def patterns(page: str, name: str) -> list[re.Pattern[str]]:
    """The names of the first table of the page, for a file called `name`."""
    templates = re.findall(r"^\| \[`([^`]+?)/?`\]", page, re.MULTILINE)
    found = []
    for template in templates:
        parts = re.split(r"(NAME|TOKEN|SERIAL|NUMBER)", template)
        found.append("".join(PARTS.get(p) or re.escape(name if p == "NAME" else p) for p in parts))
    return [re.compile(text) for text in found]


def is_named(name: str, of: str) -> bool:
    """Whether the page has this name, for a file called `of`."""
    return any(pattern.fullmatch(name) for pattern in patterns(PAGE, of))


def size_of(part: str) -> tuple[int, int]:
    """The least and the largest size that the table of parts gives."""
    row = re.search(rf"^\| [^|\n]*\b{part} \| ([^|]+) \|", PAGE, re.MULTILINE)
    numbers = re.findall(r"\d+", row[1]) if row else []
    return int(numbers[0]), int(numbers[-1])


def test_sizes_of_the_parts_are_the_true_ones() -> None:
    """NAME, TOKEN, SERIAL and SUFFIX are as long as the page says."""
    longest = temp.recognise(temp.temp_name("x" * 300, TOKEN))

    assert longest is not None
    assert (1, len(longest.target)) == size_of("NAME")
    assert (len(TOKEN), len(SYSTEM.token())) == size_of("TOKEN")
    assert (len(temp.SUFFIX), len(temp.SUFFIX)) == size_of("SUFFIX")
    assert (0, len("-") + 8) == size_of("SERIAL")
    assert temp.recognise(f".a.{TOKEN}-{'f' * 8}{temp.SUFFIX}") is not None
    assert temp.recognise(f".a.{TOKEN}-{'f' * 9}{temp.SUFFIX}") is None


@pytest.mark.parametrize(
    "name",
    [
        temp.temp_name("a.json", TOKEN),
        temp.temp_name("a.json", f"{TOKEN}-1f"),
        temp.temp_name(temp.GUARD, TOKEN),
        beside("a.json", ".lock"),
        beside("a.json", ".corrupt-12"),
        kept_name("a.json", 12),
    ],
)
def test_name_stands_on_the_page(name: str) -> None:
    """Every name that the code makes is one of the table."""
    assert is_named(name, of="a.json")


@pytest.mark.parametrize("name", ["a.json.tmp", f"a.json.{TOKEN}{temp.SUFFIX}", "a.json.~~"])
def test_other_names_do_not(name: str) -> None:
    """The patterns are not so wide that they would take anything."""
    assert not is_named(name, of="a.json")


def made(trace: Trace) -> set[str]:
    """Every name that was given to something."""
    names = set()
    for call in trace.calls:
        if call.error is None and call.operation in {"open", "mkdir", "link", "rename"}:
            names.add(call.name)
            names.update(re.findall(r"-> ([^)\s]+)", call.text))
    return {Path(name).name for name in names}


def test_operations_make_no_other_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is replaced, edited, batched or put aside: all names are on the page."""
    monkeypatch.chdir(tmp_path)
    trace = Trace(SYSTEM)
    holdfast.write_text("a.json", "{}", vfs=trace)
    holdfast.write_text("a.json", "{}", backup="a.bak", vfs=trace)
    with holdfast.open("x.json", "x", vfs=trace) as file:
        file.write("{}")
    holdfast.write_many({"a.json": "{}", "b.json": "{}"}, vfs=trace)
    with holdfast.replacing("a.json", vfs=trace) as path:
        path.write_text("{}")
    document = holdfast.Document("a.json", keep=1, vfs=trace)
    for number in range(3):
        document.write({"n": number})
    Path("a.json").write_text("{")
    document.quarantine()
    document.close()
    ours = {"a.json", "b.json", "x.json", "a.bak"}

    def is_known(name: str) -> bool:
        return name in ours or any(is_named(name, of=own) for own in ours)

    assert {"a.json.lock", "a.json.corrupt-1", "a.json.~2~"} <= made(trace)
    assert [] == sorted(name for name in made(trace) if not is_known(name))


def test_folders_stand_on_the_page(tmp_path: Path) -> None:
    """The private folder of a replacement, with its lock, and that of a probe are in the table."""
    trace = Trace(SYSTEM)
    probe(str(tmp_path), vfs=trace, seconds=0.0)
    folders = {call.name for call in trace.calls if call.operation == "mkdir"}
    parent = SYSTEM.folder(str(tmp_path))
    try:
        private = PrivateFolder(parent, "a.json", vfs=SYSTEM)
        private.make()
        inside = private.folder.names()
        private.remove()
    finally:
        parent.close()

    assert [private.name] == inside
    assert is_named(private.name, of="a.json")
    assert [True] == [is_named(name, of="") for name in folders]
