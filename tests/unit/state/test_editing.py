"""`edit` and `aedit`: one change in one `with`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import holdfast
from holdfast import Document
from holdfast.vfs.memory import MemoryVFS


def test_edit_in_one_line(tmp_path: Path) -> None:
    """`holdfast.edit` makes the file from the default, and adds to it the next time."""
    path = tmp_path / "deep" / "state.json"
    for _ in range(3):
        with holdfast.edit(path, default={"n": 0}) as state:
            state["n"] += 1

    assert '{\n  "n": 3\n}\n' == path.read_text()


def test_aedit_in_one_line(tmp_path: Path) -> None:
    """`holdfast.aedit` is the same for asyncio."""

    async def main() -> None:
        async with holdfast.aedit(tmp_path / "state.json", default={}) as state:
            state["n"] = 1

    asyncio.run(main())
    assert {"n": 1} == Document(tmp_path / "state.json").read()


def test_nothing_stays_open_after_the_block() -> None:
    """The lock's descriptor is given back at the end, not when the collector comes by."""
    disk = MemoryVFS()
    disk.write_tree({"/a.json": b'{"n": 1}'})

    async def main() -> list[str]:
        async with holdfast.aedit("/a.json", vfs=disk) as value:
            value["n"] += 1
        return disk.leftovers()

    with holdfast.edit("/a.json", vfs=disk) as value:
        value["n"] += 1

    assert [] == disk.leftovers()
    assert [] == asyncio.run(main())
    assert b'{"n": 3}' == disk.tree()["a.json"]
