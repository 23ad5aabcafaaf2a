"""`edit` and `aedit`: one change in one `with`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import holdfast
from holdfast import Document


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
