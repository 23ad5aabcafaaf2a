"""Each rule of CONTRIBUTING.md that can be held by reading one source file, and its canaries."""

from __future__ import annotations

import pytest

from tests.tidy import docstring_rules, seam_rules, size_rules, word_rules
from tests.tidy.source import ROOT, SRC, Rule, Source, read_all

RULES = [*size_rules.RULES, *docstring_rules.RULES, *word_rules.RULES, *seam_rules.RULES]
CANARIES = [(rule, path, text) for rule in RULES for path, text in rule.canaries]

CLEAN = '''"""Keeps a number whole."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def half(number: int, name: str = "", *, path: Path | None = None, exact: bool = True) -> int:
    """Halve a number; nothing is on disk.

    Raises:
        ValueError: It is odd.
    """
    if number % 2 and exact:
        raise ValueError(os.fspath(path or name))
    return number // 2
'''


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    """Every module of the package, read once."""
    return read_all(SRC)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_source_keeps_the_rule(rule: Rule, sources: list[Source]) -> None:
    """No module of the package breaks the rule."""
    findings = [str(finding) for source in sources for finding in rule.check(source)]

    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize(
    "rule",
    [*size_rules.RULES, *docstring_rules.RULES, *word_rules.RULES],
    ids=lambda rule: rule.name,
)
def test_examples_keep_the_rule(rule: Rule) -> None:
    """No program that people copy from breaks the rule."""
    sources = read_all(ROOT / "examples")
    findings = [str(finding) for source in sources for finding in rule.check(source)]

    assert sources
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize(("rule", "path", "text"), CANARIES, ids=lambda x: getattr(x, "name", ""))
def test_rule_flags_its_canary(rule: Rule, path: str, text: str) -> None:
    """A source that breaks the rule on purpose is flagged, with its place and a remedy."""
    findings = [str(finding) for finding in rule.check(Source(path, text))]

    assert findings
    assert all(f.startswith(f"{path}:") and len(f) > len(path) + 20 for f in findings)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_leaves_clean_source_alone(rule: Rule) -> None:
    """A source that keeps every rule is flagged by none."""
    assert [] == list(rule.check(Source("state/half.py", CLEAN)))


def test_every_rule_has_a_canary() -> None:
    """A rule without a canary could be dead without anybody noticing."""
    assert [] == [rule.name for rule in RULES if not rule.canaries]


@pytest.mark.parametrize(("path", "names", "reason"), seam_rules.GRANTED)
def test_every_grant_is_used(
    path: str, names: str, reason: str, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grant that nobody needs any more is taken back."""
    kept = tuple(grant for grant in seam_rules.GRANTED if grant != (path, names, reason))
    checks = [rule.check for rule in seam_rules.RULES]
    monkeypatch.setattr(seam_rules, "GRANTED", kept)

    assert reason
    assert any(list(check(source)) for check in checks for source in sources), f"remove {path}"
