"""Rules about the tests themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.source import ROOT, Finding, Source, dotted, named, read_all

TESTS = ROOT / "tests"


def facts(source: Source) -> Iterator[Finding]:
    """Each test says in one docstring which fact it tests."""
    for function, _ in source.functions():
        if function.name.startswith("test_") and not ast.get_docstring(function):
            yield source.at(function, f"{function.name}: say in one sentence which fact it tests")


def no_mocks(source: Source) -> Iterator[Finding]:
    """The system is stood in for by a VFS, never patched."""
    for node, name in named(ast.walk(source.tree)):
        if name.startswith(("unittest.mock", "mock")):
            yield source.at(node, f"import {name}: pass a `vfs` of holdfast.vfs instead")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func).endswith("monkeypatch.setattr"):
            target = node.args[0]
            text = target.value if isinstance(target, ast.Constant) else dotted(target)
            if str(text).split(".")[0] in {"os", "fcntl", "time", "builtins", "io"}:
                yield source.at(node, f"{text} is patched: pass a `vfs` or a `clock` instead")


def bounded_skips(source: Source) -> Iterator[Finding]:
    """A skip says why, so that `pytest -ra` can print it."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in {
            "pytest.skip",
            "pytest.mark.skip",
            "pytest.mark.skipif",
            "pytest.mark.xfail",
        }:
            given = {k.arg for k in node.keywords}
            if "reason" not in given and not (dotted(node.func) == "pytest.skip" and node.args):
                yield source.at(node, f"{dotted(node.func)}: give a reason")


CANARIES = [
    (facts, "def test_a():\n    assert 1\n"),
    (no_mocks, "from unittest import mock\n"),
    (no_mocks, "def f(monkeypatch):\n    monkeypatch.setattr(os, 'fsync', None)\n"),
    (no_mocks, "def f(monkeypatch):\n    monkeypatch.setattr('time.time', None)\n"),
    (bounded_skips, "pytest.skip()\n"),
    (bounded_skips, "@pytest.mark.skipif(True)\ndef f(): ...\n"),
]


@pytest.mark.parametrize("check", [facts, no_mocks, bounded_skips])
def test_tests_keep_the_rule(check) -> None:
    """No test module breaks the rule."""
    findings = [str(finding) for source in read_all(TESTS) for finding in check(source)]

    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize(("check", "text"), CANARIES)
def test_rule_for_tests_flags_its_canary(check, text) -> None:
    """A test module that breaks the rule on purpose is flagged."""
    assert list(check(Source("unit/test_a.py", text)))
