"""What a folder holds beside what it should."""

from __future__ import annotations

import os
from pathlib import Path


def temporary(folder: Path) -> list[str]:
    """All temporary names below a folder."""
    return sorted(
        str(Path(where, name).relative_to(folder))
        for where, folders, files in os.walk(folder)
        for name in [*folders, *files]
        if name.endswith(".holdfast-tmp")
    )
