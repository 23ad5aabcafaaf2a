"""From bytes to typed values: places of errors, defaults, migrations, unknown fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydantic
import pytest

from holdfast import DecodeError, Document, UnknownFormat
from holdfast.formats.codec import codec_for
from holdfast.state.loading import Migrations, Schema
from holdfast.state.register import Content
from tests.support.state_files import TOML


@dataclass
class Window:
    """A nested part."""

    size: int = 5


@dataclass
class Settings:
    """What most programs have."""

    title: str = "new"
    window: Window = field(default_factory=Window)


@dataclass
class Account:
    """Has fields that files of older programs lack."""

    name: str = ""
    tags: list[str] = field(default_factory=list)
    window: Window = field(default_factory=Window)
    groups: set[str] = field(default_factory=set)
    members: list[Window] = field(default_factory=list)


MIGRATIONS = {1: lambda d: d.update(b=d.pop("a")), 2: lambda d: {"version": 0, "c": d["b"] * 2}}


def test_default_of_a_type(tmp_path: Path) -> None:
    """A dataclass is its own default."""
    document = Document(tmp_path / "new.toml", Settings, default=Settings)

    assert Settings() == document.read()
    document.update(lambda s: setattr(s.window, "size", 6))
    assert 6 == document.read().window.size
    assert "size = 6" in (tmp_path / "new.toml").read_text()


def test_decode_error_names_line_and_column(toml: Path) -> None:
    """The message starts with path:line:column."""
    toml.write_text("a = 1\nb = = 2\n")

    with pytest.raises(DecodeError) as caught:
        Document(toml).read()

    assert 2 == caught.value.line
    assert str(caught.value).startswith(f"{toml}:2:")


def test_value_of_another_type_names_its_key(toml: Path) -> None:
    """A value that does not fit the type is DecodeError with the key path."""
    toml.write_text(TOML.replace("10", '"ten"'))

    with pytest.raises(DecodeError) as caught:
        Document(toml, Settings).read()

    assert ("window", "size") == caught.value.key


def test_migrations_run_in_order(json: Path) -> None:
    """An old version reads as the latest, and is written as such with the next change only."""
    json.write_text('{"a": 4}')
    document = Document(json, migrations=MIGRATIONS)

    assert {"version": 3, "c": 8} == document.read()
    assert '{"a": 4}' == json.read_text()
    document.update(lambda state: state.update(d=1))
    assert {"version": 3, "c": 8, "d": 1} == Document(json).read()
    assert {"version": 3, "c": 8, "d": 1} == document.read()


def test_new_documents_get_the_latest_version(tmp_path: Path) -> None:
    """A document that did not exist starts at the latest version, whatever the default says."""
    document = Document(tmp_path / "new.json", default={"c": 0}, migrations=MIGRATIONS)
    document.update(lambda state: state.update(c=1))

    assert {"version": 3, "c": 1} == Document(tmp_path / "new.json").read()
    assert 1 == document.read()["c"]


def test_newer_version_is_read_and_never_written(json: Path) -> None:
    """A version from the future can be read, and no call writes over it."""
    json.write_text('{"version": 9, "z": 1}')
    document = Document(json, migrations=MIGRATIONS)

    assert {"version": 9, "z": 1} == document.read()
    for call in (
        lambda: document.update(lambda state: state.update(z=2)),
        lambda: document.write({"z": 2}),
    ):
        with pytest.raises(UnknownFormat, match="newer"):
            call()
    assert '{"version": 9, "z": 1}' == json.read_text()


@pytest.mark.parametrize("version", ['"2"', "0", "1.5", "true", "null", "-1"])
def test_senseless_version_is_a_decode_error(json: Path, version: str) -> None:
    """A version that is no known number is DecodeError at its key."""
    json.write_text(f'{{"version": {version}}}')

    with pytest.raises(DecodeError) as caught:
        Document(json, migrations=MIGRATIONS).read()

    assert ("version",) == caught.value.key


def test_failing_migration_writes_nothing(json: Path) -> None:
    """An exception of a migration passes through and the file stays."""
    json.write_text('{"b": 1}')

    with pytest.raises(KeyError):
        Document(json, migrations=MIGRATIONS).update(lambda state: state.update(n=1))

    assert '{"b": 1}' == json.read_text()


def test_migrations_with_a_gap_are_refused(json: Path) -> None:
    """Steps must be numbered without a gap."""
    with pytest.raises(ValueError, match="gap"):
        Document(json, migrations={1: lambda d: d, 3: lambda d: d})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda a: a.tags.append("vip"), {"name": "x", "tags": ["vip"]}),
        (lambda a: setattr(a.window, "size", 6), {"name": "x", "window": {"size": 6}}),
        (lambda a: a.groups.add("g"), {"name": "x", "groups": ["g"]}),
        (lambda a: a.members.append(Window(3)), {"name": "x", "members": [{"size": 3}]}),
        (lambda a: setattr(a, "name", "y"), {"name": "y"}),
    ],
)
def test_field_that_only_the_default_has_can_be_changed(
    json: Path, change: Any, expected: Any
) -> None:
    """A field that the file lacks is written when it is changed, and others stay absent."""
    json.write_text('{"name": "x"}')

    Document(json, Account).update(change)

    assert expected == Document(json).read()


def test_element_of_a_set_is_removed_whatever_the_order(json: Path) -> None:
    """The order of a set in the file is not the type's; the right element goes."""
    json.write_text('{"groups": ["b", "a"]}')

    Document(json, Account).update(lambda account: account.groups.discard("a"))

    assert {"groups": ["b"]} == Document(json).read()


@pytest.mark.parametrize(
    ("sizes", "ids"),
    [
        ([1, 2, 3], ["a", "b", "c"]),
        ([2, 3, 5], ["b", "c", None]),
        ([9, 1, 2, 3], [None, "a", "b", "c"]),
        ([1, 7, 3], ["a", "b", "c"]),
        ([3], ["c"]),
        ([], []),
        ([1, 2, 3, 4], ["a", "b", "c", None]),
    ],
)
def test_unknown_fields_of_list_items_stay_with_them(json: Path, sizes: Any, ids: Any) -> None:
    """Items of a list keep what the type does not know, when others come and go around them."""
    json.write_text(
        '{"members": [{"size": 1, "id": "a"}, {"size": 2, "id": "b"}, {"size": 3, "id": "c"}]}'
    )

    Document(json, Account).update(
        lambda a: setattr(a, "members", [Window(size) for size in sizes])
    )

    members = Document(json).read()["members"]
    assert sizes == [member["size"] for member in members]
    assert ids == [member.get("id") for member in members]


def test_value_that_would_be_read_back_otherwise_is_refused(json: Path) -> None:
    """A type whose conversions there and back disagree is a ValueError, and nothing is written."""

    class Odd(pydantic.BaseModel):
        size: int = 1

        @pydantic.field_validator("size")
        @classmethod
        def at_most_five(cls, size: int) -> int:
            return min(size, 5)

    json.write_text('{"size": 2}')

    with pytest.raises(ValueError, match="read back"):
        Document(json, Odd).update(lambda odd: setattr(odd, "size", 7))

    assert '{"size": 2}' == json.read_text()


def test_write_keeps_the_version_field(json: Path) -> None:
    """With migrations a document is of the latest version after each write, whatever it says."""
    document = Document(json, migrations=MIGRATIONS)
    json.write_text('{"a": 4}')
    document.write({"c": 1})

    assert {"version": 3, "c": 1} == Document(json).read()
    document.update(lambda state: state.update(version=1, c=2))
    assert {"version": 3, "c": 2} == Document(json, migrations=MIGRATIONS).read()


def schema(type_: Any = dict, **options: Any) -> Schema:
    """A schema of JSON."""
    return Schema("a.json", codec_for("a.json", None), type_, **options)


def test_first_step_is_the_oldest_version() -> None:
    """Steps may start at any number: a document without the field is of that version."""
    steps = Migrations({4: lambda value: value.update(b=1)}, field="v")

    assert (4, 5) == (steps.oldest, steps.latest)
    assert 4 == steps.version_of({})
    assert {"b": 1, "v": 5} == steps.run({}, 4)


def test_steps_do_not_change_what_was_decoded() -> None:
    """A step that changes its argument in place changes a copy."""
    old = {"a": {"deep": [1]}}
    steps = Migrations({1: lambda value: value["a"]["deep"].append(2)}, field="v")

    assert {"a": {"deep": [1, 2]}, "v": 2} == steps.run(old, 1)
    assert {"a": {"deep": [1]}} == old


@pytest.mark.parametrize("content", [b"[]", b"1", b"null"])
def test_versions_need_a_mapping(content: bytes) -> None:
    """A document with versions that is no mapping is DecodeError."""
    versioned = schema(object, migrations=Migrations({1: dict}, field="v"))

    with pytest.raises(DecodeError, match="mapping"):
        versioned.load(Content(content, None))


def test_version_is_the_first_field_of_a_new_document() -> None:
    """The stamp comes first where there was none, and stays in its place where there was one."""
    steps = Migrations({1: dict}, field="v")

    assert ["v", "a"] == list(steps.stamp({"a": 1}))
    assert ["a", "v"] == list(steps.stamp({"a": 1, "v": 1}))
    assert [1] == steps.stamp([1])


def test_default_is_made_anew_each_time() -> None:
    """A callable default is called for each look, and a value is never handed out itself."""
    value: dict[str, Any] = {"deep": []}
    for default in (value, lambda: value):
        made = schema(default=default)
        made.value(made.load(Content(None, None)))["deep"].append(1)

        assert {"deep": []} == made.load(Content(None, None)).plain
    assert {"deep": []} == value


def test_newer_version_is_marked_and_refused() -> None:
    """What a newer program wrote is loaded as it is, and `refuse_newer` says both versions."""
    versioned = schema(migrations=Migrations({1: dict}, field="v"))
    loaded = versioned.load(Content(b'{"v": 9, "a": 1}', None))

    assert (9, {"v": 9, "a": 1}) == (loaded.newer, loaded.plain)
    with pytest.raises(UnknownFormat) as caught:
        versioned.refuse_newer(loaded)
    assert (2, 9, "a.json") == (caught.value.expected, caught.value.found, caught.value.path)


def test_message_says_where_what_and_what_to_do() -> None:
    """Three sentences: the place and the reason, that the file is untouched, what to do."""
    with pytest.raises(DecodeError) as caught:
        schema().load(Content(b'{"a": 1,\n "b" 2}', None))

    assert str(caught.value).startswith("a.json:2:")
    assert "not readable as json" in str(caught.value).lower()
    assert str(caught.value).endswith("The file is untouched. Mend it there, or move it away.")
    assert 2 == caught.value.line
