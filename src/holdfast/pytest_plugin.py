"""The pytest fixture `crash`: does what a function writes survive a power cut, at any moment?

Loading the plugin imports nothing but pytest; the crash tester is loaded by the first test that
asks for the fixture.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from holdfast.crash.scenario import Scenario

__all__ = ["crash", "pytest_addoption", "pytest_configure"]

_INI = (
    ("crash_model", "linux (default), posix or prefix: what the fixture `crash` tries", "linux"),
    ("crash_budget_s", "how long `crash.check` explores at most, in seconds", "30"),
    (
        "crash_unavailable",
        "skip (default) or fail: what a test is where programs cannot be recorded",
        "skip",
    ),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the settings of the configuration file."""
    for name, words, default in _INI:
        parser.addini(name, words, default=default)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "crash(**options): options of `crash.check` for this test, such as model='posix'",
    )


@pytest.fixture
def crash(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Record what a function or a command writes, and check each state that a crash may leave."""
    from holdfast.crash.scenario import Scenario

    wanted = request.config.getini("crash_unavailable")
    if wanted not in {"skip", "fail"}:
        _fail(f"crash_unavailable = {wanted}: choose skip or fail")
    return Scenario(
        str(tmp_path_factory.mktemp("crash")),
        defaults=_defaults(request),
        fail=_fail,
        unavailable=_skip if wanted == "skip" else _fail,
    )


def _defaults(request: pytest.FixtureRequest) -> dict[str, Any]:
    config = request.config
    options: dict[str, Any] = {
        "model": config.getini("crash_model"),
        "budget_s": _seconds(config.getini("crash_budget_s")),
    }
    for marker in reversed(list(request.node.iter_markers("crash"))):
        if marker.args:
            _fail("@pytest.mark.crash: name its options, such as model='posix'")
        options |= marker.kwargs
    return options


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return _fail(f"crash_budget_s = {text}: is no number of seconds")


def _fail(text: str) -> NoReturn:
    pytest.fail(text, pytrace=False)


def _skip(text: str) -> NoReturn:
    pytest.skip(f"crash: {text}")
