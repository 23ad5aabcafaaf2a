"""`holdfast demo`: the verb; what it shows is tested with `holdfast.demo`."""

from __future__ import annotations

import sys
from types import SimpleNamespace


def test_options_and_code_are_passed_on(cli, monkeypatch) -> None:
    """What follows `--` goes to the demonstration, and its exit code comes back."""
    seen = []

    def main(argv):
        seen.append(argv)
        return 1

    monkeypatch.setitem(sys.modules, "holdfast.demo", SimpleNamespace(main=main))

    assert [1, 1] == [cli("demo").code, cli("demo", "--", "--x").code]
    assert [[], ["--x"]] == seen
