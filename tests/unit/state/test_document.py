"""`Document`: reading, updating, editing, writing; types, defaults, versions and damage."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest

from holdfast import DecodeError, Document
from tests.support.state_files import TOML, others


@dataclass
class Window:
    """A nested part."""

    size: int = 5


@dataclass
class Settings:
    """What most programs have."""

    title: str = "new"
    window: Window = field(default_factory=Window)


class Struct(msgspec.Struct):
    """The same by msgspec."""

    title: str = "new"
    size: int = 5


class Model(pydantic.BaseModel):
    """The same by pydantic."""

    title: str = "new"
    size: int = 5


class Typed(TypedDict, total=False):
    """The same as a TypedDict."""

    title: str
    size: int


def test_update_in_place_is_written(json: Path) -> None:
    """A function that changes the value and returns None writes it, and nothing else is left."""
    result = Document(json).update(lambda state: state.update(n=2))

    assert {"n": 2, "big": 123456789012345678901234567890} == result
    assert '{"n": 2, "big": 123456789012345678901234567890}\n' == json.read_text()
    assert [] == others(json)


def test_update_by_a_new_value_is_written(json: Path) -> None:
    """A function may return the new value instead."""
    assert {"m": 1} == Document(json).update(lambda _: {"m": 1})
    assert '{"m": 1}\n' == json.read_text()


def test_update_of_another_type_is_refused(json: Path) -> None:
    """A returned value of another type is a TypeError, and the file is untouched."""
    before = json.read_bytes()

    with pytest.raises(TypeError, match="dict"):
        Document(json).update(lambda state: state.setdefault("n", 3))

    assert before == json.read_bytes()


def test_update_takes_no_coroutine_function(json: Path) -> None:
    """An async function is refused with the way to do it."""

    async def change(state: dict[str, Any]) -> None:
        state["n"] = 9

    with pytest.raises(TypeError, match="aedit"):
        Document(json).update(change)  # type: ignore[arg-type]

    assert '"n": 1' in json.read_text()


def test_exception_in_update_writes_nothing(json: Path) -> None:
    """A function that fails leaves the file, no lock and no temp."""
    before = json.read_bytes()
    document = Document(json)

    def fail(state: dict[str, Any]) -> None:
        state["n"] = 7
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        document.update(fail)

    assert before == json.read_bytes()
    assert {"n": 8} == document.update(lambda _: {"n": 8}, timeout_s=0)


def test_exception_in_edit_writes_nothing(toml: Path) -> None:
    """An exception inside `edit` writes nothing and frees the lock."""
    document = Document(toml)

    with pytest.raises(ZeroDivisionError), document.edit() as settings:
        settings["title"] = "b"
        raise ZeroDivisionError

    assert TOML == toml.read_text()
    with document.edit(timeout_s=0) as settings:
        settings["title"] = "c"
    assert TOML.replace('"a"', '"c"') == toml.read_text()


def test_one_field_changes_one_line(toml: Path) -> None:
    """A change of one field of a commented file changes that line and nothing else."""
    with Document(toml).edit() as settings:
        settings["window"]["size"] = 11

    assert TOML.replace("size = 10     # pixels", "size = 11     # pixels") == toml.read_text()


def test_yaml_keeps_its_layout(tmp_path: Path) -> None:
    """The same for YAML."""
    path = tmp_path / "a.yaml"
    text = "# top\nlist:\n    - a   # first\n    - ~\nsize:   10  # px\n"
    path.write_text(text)

    Document(path).update(lambda value: value.update(size=11))

    assert text.replace("10  # px", "11  # px") == path.read_text()


@pytest.mark.parametrize(
    ("type_", "change"),
    [
        (Settings, lambda s: setattr(s, "title", "b")),
        (Struct, lambda s: setattr(s, "title", "b")),
        (Model, lambda s: setattr(s, "title", "b")),
        (Typed, lambda s: s.update(title="b")),
        (dict, lambda s: s.update(title="b")),
        (object, lambda s: s.update(title="b")),
    ],
)
def test_typed_change_keeps_unknown_fields(toml: Path, type_: Any, change: Any) -> None:
    """Whatever the type, the fields that it does not know stay, with their comments."""
    value = Document(toml, type_).update(change)

    assert TOML.replace('"a"', '"b"') == toml.read_text()
    if type_ is not object:
        assert isinstance(value, dict if type_ is Typed else type_)


def test_read_gives_a_value_of_its_own(json: Path) -> None:
    """What a reader does to the value is not seen by the next reader, nor written."""
    document = Document(json)
    document.read()["n"] = 99

    assert 1 == document.read()["n"]
    assert 2 == document.update(lambda state: state.update(n=state["n"] + 1))["n"]


def test_result_of_update_is_the_callers_own(json: Path) -> None:
    """Changing the result of `update` changes nothing that is read later."""
    document = Document(json)
    document.update(lambda state: state.update(deep={"a": [1]}))["deep"]["a"].append(2)

    assert {"a": [1]} == document.read()["deep"]
    assert '"a": [1]' in json.read_text()


def test_missing_without_default_is_an_error(tmp_path: Path) -> None:
    """A missing file is FileNotFoundError, for every way in, and nothing is made."""
    document = Document(tmp_path / "no.json")

    for call in (
        document.read,
        document.snapshot,
        document.checkout,
        lambda: document.update(lambda _: None),
    ):
        with pytest.raises(FileNotFoundError) as caught:
            call()
        assert "default=" in caught.value.__notes__[0]

    assert [] == others(tmp_path / "no.json")


@pytest.mark.parametrize("default", [{"n": 1}, lambda: {"n": 1}, dict(n=1)])
def test_default_stands_for_missing(tmp_path: Path, default: Any) -> None:
    """I5: a default, or what makes one, is read for a missing file; the first change writes it."""
    document = Document(tmp_path / "deep" / "new.json", default=default)

    assert {"n": 1} == document.read()
    assert {"n": 2} == document.update(lambda state: state.update(n=2))
    assert '{\n  "n": 2\n}\n' == (tmp_path / "deep" / "new.json").read_text()


@pytest.mark.parametrize("content", [b"", b"{", b'{"n": 1', b"\xff\xfe", b"[" * 100_000, b"nul\0"])
def test_default_is_not_used_for_damage(json: Path, content: bytes) -> None:
    """I4: contents that do not decode raise DecodeError with the path; no call overwrites them."""
    json.write_bytes(content)
    document = Document(json, default={"n": 1})

    for call in (
        document.read,
        document.checkout,
        lambda: document.update(lambda _: {"n": 1}),
        lambda: document.write({"n": 1}),
    ):
        with pytest.raises(DecodeError) as caught:
            call()
        assert str(json) == caught.value.path
        assert "The file is untouched" in str(caught.value)

    assert content == json.read_bytes()
    assert [] == others(json)


@pytest.mark.parametrize("bad", [{"a": float("nan")}, {"a": {1, 2}}, {1: "a"}, {"a": b"x"}])
def test_value_that_json_cannot_hold_is_refused(json: Path, bad: Any) -> None:
    """NaN, sets, numbers as keys and bytes are refused, naming the key; the file is untouched."""
    before = json.read_bytes()

    with pytest.raises((TypeError, ValueError)):
        Document(json).write(bad)

    assert before == json.read_bytes()


def test_own_codec(tmp_path: Path) -> None:
    """An object with name, decode and encode is a codec."""

    class Lines:
        name = "lines"

        def decode(self, data: bytes) -> Any:
            return data.decode().splitlines()

        def encode(self, value: Any, *, previous: bytes | None = None) -> bytes:
            return "".join(f"{line}\n" for line in value).encode()

    path = tmp_path / "list.txt"
    path.write_text("a\n")

    Document(path, list, codec=Lines()).update(lambda lines: lines.append("b"))

    assert "a\nb\n" == path.read_text()


def test_unknown_suffix_is_refused(tmp_path: Path) -> None:
    """A suffix without a codec is a ValueError that names the known ones."""
    with pytest.raises(ValueError, match=r"\.toml"):
        Document(tmp_path / "a.ini")


@pytest.mark.parametrize("options", [{"keep": -1}, {"sync": 3}, {"sync": "sometimes"}])
def test_senseless_options_are_refused(json: Path, options: Any) -> None:
    """Options without a meaning are a ValueError at once."""
    with pytest.raises(ValueError):
        Document(json, **options)


def test_tasks_lose_nothing(json: Path) -> None:
    """Coroutines that update and edit at once lose nothing, while a body awaits."""

    async def main() -> None:
        document = Document(json)

        async def edit() -> None:
            async with document.aedit() as state:
                number = state["n"]
                await asyncio.sleep(0)
                state["n"] = number + 1

        def add(state: dict[str, Any]) -> None:
            state["n"] += 1

        await asyncio.gather(
            *(edit() for _ in range(30)), *(document.aupdate(add) for _ in range(30))
        )

        assert 61 == (await document.aread())["n"]

    asyncio.run(main())


def test_cancelled_edit_writes_nothing(json: Path) -> None:
    """A task that is cancelled inside `aedit` writes nothing and frees the lock."""

    async def main() -> None:
        document = Document(json)
        inside = asyncio.Event()

        async def edit() -> None:
            async with document.aedit() as state:
                state["n"] = 9
                inside.set()
                await asyncio.sleep(60)

        task = asyncio.create_task(edit())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert 1 == (await document.aread())["n"]
        await document.aupdate(lambda state: state.update(n=2), timeout_s=1)

    asyncio.run(main())
    assert '"n": 2' in json.read_text()


def test_async_twins_do_what_they_are_named_for(json: Path) -> None:
    """Each `a…` method does what the plain one does."""

    async def main() -> None:
        value, version = await document.asnapshot()
        version = await document.awrite({**value, "n": 2}, if_version=version)
        draft = await document.acheckout()
        draft.value["n"] = 3
        assert (await draft.acommit()).written
        assert [1, 2] == [kept.number for kept in await document.aversions()]
        assert 1 == (await document.arestore(1))["n"]
        assert await document.aquarantine() is None

    document = Document(json, keep=3, default={})
    asyncio.run(main())
    json.write_text("{")
    assert json.with_name("state.json.corrupt-1") == asyncio.run(document.aquarantine())


@dataclass
class Record:
    """One of many; files have more fields."""

    id: int = 0
    name: str = ""


@dataclass
class Records:
    """A list of them."""

    items: list[Record] = field(default_factory=list)


def _sort_and_edit(records: Records) -> None:
    records.items.sort(key=lambda item: -item.id)
    records.items[0].name = "changed"


def _delete_and_edit(records: Records) -> None:
    del records.items[0]
    records.items[0].name = "changed"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_sort_and_edit, [(3, "s3"), (2, "s2"), (1, "s1")]),
        (lambda r: r.items.reverse(), [(3, "s3"), (2, "s2"), (1, "s1")]),
        (_delete_and_edit, [(2, "s2"), (3, "s3")]),
        (lambda r: r.items.__setitem__(0, Record(9, "new")), [(9, None), (2, "s2"), (3, "s3")]),
        (lambda r: r.items.insert(0, r.items.pop()), [(3, "s3"), (1, "s1"), (2, "s2")]),
        (lambda r: setattr(r, "items", [Record(3, "x"), Record(1, "y")]), [(3, "s3"), (1, "s1")]),
    ],
)
def test_unknown_fields_go_with_their_record(json: Path, change: Any, expected: Any) -> None:
    """However records are moved and replaced, none gets the unknown fields of another."""
    items = ", ".join(f'{{"id": {n}, "name": "n{n}", "secret": "s{n}"}}' for n in (1, 2, 3))
    json.write_text(f'{{"items": [{items}]}}')

    Document(json, Records).update(change)

    found = Document(json).read()["items"]
    assert expected == [(item["id"], item.get("secret")) for item in found]


def test_codec_that_reads_back_another_value_is_refused(tmp_path: Path) -> None:
    """A codec of one's own is checked as well: what it cannot hold is not written."""

    class Properties:
        name = "properties"

        def decode(self, data: bytes) -> Any:
            return dict(line.split("=", 1) for line in data.decode().splitlines())

        def encode(self, value: Any, *, previous: bytes | None = None) -> bytes:
            return "".join(f"{key}={item}\n" for key, item in value.items()).encode()

    path = tmp_path / "a.properties"
    path.write_text("a=1\n")
    document = Document(path, codec=Properties())

    document.update(lambda value: value.update(b="2"))
    for bad in (3, "x\ninjected=1"):
        with pytest.raises(ValueError, match="read back"):
            document.update(lambda value, bad=bad: value.update(c=bad))

    assert "a=1\nb=2\n" == path.read_text()


def test_failing_migration_names_the_file_and_the_version(json: Path) -> None:
    """An error in a step keeps its type and says where it was; to return no dict is one."""
    json.write_text('{"n": 1}')
    for step, kind in ((lambda d: d["nope"], KeyError), (lambda d: [d], TypeError)):
        with pytest.raises(kind) as caught:
            Document(json, migrations={1: step}).read()
        assert any("version 1" in note for note in caught.value.__notes__)
        assert any(str(json) in note for note in caught.value.__notes__)


def test_list_documents_have_no_migrations(json: Path) -> None:
    """A list has no field for a version."""
    with pytest.raises(ValueError, match="list"):
        Document(json, list, migrations={1: lambda d: d})


def test_what_a_migration_makes_is_read_as_it_will_be_written(json: Path) -> None:
    """Tuples of a migration are lists for its readers too."""
    json.write_text('{"n": 1}')

    assert [1, 2] == Document(json, migrations={1: lambda d: d.update(p=(1, 2))}).read()["p"]


class Hidden(pydantic.BaseModel):
    """A model with a field that its dump leaves out."""

    size: int = 1
    token: str = pydantic.Field(default="none", exclude=True)


def test_change_that_the_type_does_not_dump_is_refused(json: Path) -> None:
    """A change of an excluded field, which would be lost silently, is a ValueError."""
    json.write_text('{"size": 1, "token": "old"}')
    document = Document(json, Hidden)

    def change_both(value: Hidden) -> None:
        value.token, value.size = "new", 2

    for change in (lambda value: setattr(value, "token", "new"), change_both):
        with pytest.raises(ValueError, match="read back"):
            document.update(change)
    with pytest.raises(ValueError, match="read back"):
        document.write(Hidden(size=3, token="new"))
    document.update(lambda value: setattr(value, "size", 2))

    assert '{"size": 2, "token": "old"}' == json.read_text()


def test_secret_is_written_as_it_is(json: Path) -> None:
    """A pydantic secret reaches the file, and not its mask."""

    class Login(pydantic.BaseModel):
        password: pydantic.SecretStr = pydantic.SecretStr("")

    document = Document(json, Login)
    json.write_text('{"password": "old"}')
    document.update(lambda login: setattr(login, "password", pydantic.SecretStr("new")))

    assert '{"password": "new"}' == json.read_text()
