"""Choosing a codec."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from holdfast.formats.codec import codec_for


@pytest.mark.parametrize(
    ("file_name", "name"),
    [("a.json", "json"), ("a/b.TOML", "toml"), ("x.yaml", "yaml"), ("x.y.yml", "yaml")],
)
def test_the_suffix_chooses(file_name, name):
    """In either case."""
    assert name == codec_for(file_name).name


def test_a_name_or_a_codec_is_stronger_than_the_suffix():
    """The caller knows best."""
    own = codec_for("x.toml", "json")
    assert "json" == own.name
    assert own is codec_for("x.yaml", own)


@pytest.mark.parametrize("file_name", ["state", "state.ini", ".json.bak", ""])
def test_an_unknown_suffix_is_refused_with_what_there_is(file_name):
    """And says that codec= can be passed."""
    with pytest.raises(ValueError, match=r"\.json, \.toml, \.yaml, \.yml.*codec="):
        codec_for(file_name)


def test_an_unknown_name_and_a_wrong_object_are_refused():
    """At once, not at the first write."""
    wrong: Any = 5
    with pytest.raises(ValueError, match="no codec is called 'ini'"):
        codec_for("a.json", "ini")
    with pytest.raises(TypeError, match="not int"):
        codec_for("a.json", wrong)


PROGRAM = """
import sys
for name in ("tomlkit", "ruamel.yaml", "ruamel"):
    sys.modules[name] = None
from holdfast.formats.codec import MissingExtra, codec_for
toml, yaml = codec_for("a.toml"), codec_for("a.yaml")
print(toml.decode(b"a = 1"), toml.encode({"a": [1]}, previous=b"a = 1"))
calls = [
    lambda: toml.encode({}),
    lambda: yaml.decode(b""),
]
for call in calls:
    try:
        call()
    except MissingExtra as error:
        print(error.extra, error)
"""


def test_without_the_extras_toml_is_read_and_changed_and_the_rest_says_what_to_install():
    """Only the call that needs a package asks for it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    lines = done.stdout.splitlines()
    assert "{'a': 1} b'a = [1]'" == lines[0]
    assert ["toml", "yaml"] == [line.split()[0] for line in lines[1:]]
    assert all("pip install 'holdfast[" in line for line in lines[1:])


def test_choosing_imports_only_what_is_chosen():
    """No parser of another format, and no package of an extra, is loaded."""
    program = (
        "import sys; from holdfast.formats.codec import codec_for; before = set(sys.modules)\n"
        "assert not before & {'json', 'tomllib', 'ruamel', 'tomlkit'}, before\n"
        "codec_for('a.json').decode(b'{}')\n"
        "assert not set(sys.modules) & {'tomllib', 'ruamel', 'tomlkit', 'dataclasses', 'inspect'}\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
