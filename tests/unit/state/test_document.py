"""`Document`: reading, updating, editing, writing; types, defaults, versions and damage."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest

import holdfast
from holdfast import Conflict, DecodeError, Document, LockTimeout, PromiseUnavailable, UnknownFormat
from holdfast.vfs import ManualClock
from holdfast.vfs.memory import MemoryVFS

TOML = """\
# my settings
title = "a"   # trailing

[window]      # the window
size = 10     # pixels
other = [1, 2,
         3]   # kept
"""


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


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    """A commented TOML file."""
    path = tmp_path / "settings.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def json(tmp_path: Path) -> Path:
    """A small JSON file."""
    path = tmp_path / "state.json"
    path.write_text('{"n": 1, "big": 123456789012345678901234567890}\n')
    return path


def others(path: Path) -> list[str]:
    """The names beside the file that are not its lock."""
    return sorted(p.name for p in path.parent.iterdir() if p.name not in {path.name, f"{path.name}.lock"})


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


def test_unchanged_value_is_not_written_I2(json: Path) -> None:
    """Nothing is written when nothing changed: the inode stays."""
    before = json.stat()

    Document(json).update(lambda state: state.update(n=1))

    assert (before.st_ino, before.st_mtime_ns) == (json.stat().st_ino, json.stat().st_mtime_ns)


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

    for call in (document.read, document.snapshot, document.checkout, lambda: document.update(lambda _: None)):
        with pytest.raises(FileNotFoundError) as caught:
            call()
        assert "default=" in caught.value.__notes__[0]

    assert [] == others(tmp_path / "no.json")


@pytest.mark.parametrize("default", [{"n": 1}, lambda: {"n": 1}, dict(n=1)])
def test_default_stands_for_missing_I5(tmp_path: Path, default: Any) -> None:
    """A default, or what makes one, is read when the file is missing; the first change writes it."""
    document = Document(tmp_path / "deep" / "new.json", default=default)

    assert {"n": 1} == document.read()
    assert {"n": 2} == document.update(lambda state: state.update(n=2))
    assert '{\n  "n": 2\n}\n' == (tmp_path / "deep" / "new.json").read_text()


def test_default_of_a_type(tmp_path: Path) -> None:
    """A dataclass is its own default."""
    document = Document(tmp_path / "new.toml", Settings, default=Settings)

    assert Settings() == document.read()
    document.update(lambda s: setattr(s.window, "size", 6))
    assert 6 == document.read().window.size
    assert "size = 6" in (tmp_path / "new.toml").read_text()


@pytest.mark.parametrize("content", [b"", b"{", b'{"n": 1', b"\xff\xfe", b"[" * 100_000, b"nul\0"])
def test_default_is_not_used_for_damage_I4(json: Path, content: bytes) -> None:
    """Contents that do not decode raise DecodeError with the path, and no call overwrites them."""
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


@pytest.mark.parametrize("bad", [{"a": float("nan")}, {"a": {1, 2}}, {1: "a"}, {"a": b"x"}])
def test_value_that_json_cannot_hold_is_refused(json: Path, bad: Any) -> None:
    """NaN, sets, numbers as keys and bytes are refused, naming the key; the file is untouched."""
    before = json.read_bytes()

    with pytest.raises((TypeError, ValueError)):
        Document(json).write(bad)

    assert before == json.read_bytes()


def test_quarantine_moves_damage_away(json: Path) -> None:
    """`quarantine` moves contents that do not decode, and only those, to a free name."""
    document = Document(json, default={})
    assert document.quarantine() is None
    for number in (1, 2):
        json.write_text("{broken")

        assert json.with_name(f"state.json.corrupt-{number}") == document.quarantine()
        assert not json.exists()

    assert {} == document.read()
    assert document.quarantine() is None
    assert ["state.json.corrupt-1", "state.json.corrupt-2"] == others(json)


def test_write_with_version(json: Path) -> None:
    """`write(if_version=)` writes what nobody changed meanwhile, else it is a Conflict."""
    first, second = Document(json), Document(json)
    value, version = first.snapshot()

    newer = first.write({**value, "n": 2}, if_version=version)
    with pytest.raises(Conflict):
        second.write({**value, "n": 3}, if_version=version)

    assert 2 == second.read()["n"]
    assert newer == second.snapshot().version != version


def test_version_is_that_of_the_contents(json: Path) -> None:
    """The same bytes are the same version, whoever wrote them."""
    version = Document(json).snapshot().version
    Document(json).update(lambda state: state.update(n=2))
    Document(json).update(lambda state: state.update(n=1))

    assert version == Document(json).snapshot().version


def test_write_makes_a_missing_file(tmp_path: Path) -> None:
    """`write` needs no default, and "absent" has a version too."""
    document = Document(tmp_path / "new.json", default={})
    version = document.snapshot().version

    document.write({"a": 1}, if_version=version)

    with pytest.raises(Conflict):
        document.write({"a": 2}, if_version=version)
    assert {"a": 1} == document.read()


def test_write_drops_keys_and_keeps_layout(toml: Path) -> None:
    """A dict is the whole of the document: what it lacks is removed, what it has stays as it was."""
    Document(toml).write({"title": "a", "window": {"size": 10}})

    assert "other" not in toml.read_text()
    assert "size = 10     # pixels" in toml.read_text()


def test_editor_without_lock_is_merged(json: Path) -> None:
    """What an editor saves while `edit` lasts is merged, key by key."""
    with Document(json).edit() as state:
        json.write_text('{"n": 5, "big": 7, "new": true}')
        state["big"] = 8

    assert {"n": 5, "big": 8, "new": True} == Document(json).read()


def test_in_place_edit_of_equal_size_is_noticed(json: Path) -> None:
    """A change that keeps the size, within the same tick, is not taken for the old contents."""
    document = Document(json)
    for number in range(2, 10):
        with json.open("r+") as file:
            file.write('{"n": %d' % number)

        assert number == document.read()["n"]


def test_old_signature_spares_reading() -> None:
    """A file whose times are old enough is not read again; a young one is (FAT: 2 seconds)."""
    clock = ManualClock()
    disk = MemoryVFS(clock=clock)
    disk.write_tree({"/a.json": b'{"n": 1}'})
    document = Document("/a.json", vfs=disk, clock=clock)
    clock.advance(3)
    first = document._committer.load()
    assert first is document._committer.load()
    document.update(lambda state: state.update(n=2))

    young = document._committer.load()
    assert young.content is not document._committer.load().content
    clock.advance(3)
    document._committer.load()
    assert document._committer.load() is document._committer.load()


def test_lock_is_beside_the_target_of_a_symlink(tmp_path: Path) -> None:
    """A symlink is followed: its target is changed, and locked there."""
    real = tmp_path / "real" / "state.json"
    real.parent.mkdir()
    real.write_text('{"n": 1}')
    link = tmp_path / "link.json"
    link.symlink_to("real/state.json")

    Document(link).update(lambda state: state.update(n=2))

    assert link.is_symlink()
    assert '{"n": 2}' == real.read_text()
    assert ["state.json", "state.json.lock"] == sorted(p.name for p in real.parent.iterdir())
    assert str(real) + ".lock" == Document(link).lock.path


def test_symlink_that_moves_is_followed_under_the_lock(tmp_path: Path) -> None:
    """A symlink that is switched while we wait for its old target's lock leads to the new target."""
    old, new, link = (tmp_path / name for name in ("old.json", "new.json", "link.json"))
    old.write_text('{"is": "old"}')
    new.write_text('{"is": "new"}')
    link.symlink_to(old)
    document = Document(link)
    with holdfast.FileLock(f"{old}.lock"):
        thread = threading.Thread(target=document.update, args=[lambda state: state.update(n=1)])
        thread.start()
        spare = tmp_path / "spare"
        spare.symlink_to(new)
        spare.replace(link)
    thread.join(20)

    assert ['{"is": "old"}', '{"is": "new", "n": 1}'] == [old.read_text(), new.read_text()]


def test_symlink_loop_is_an_error(tmp_path: Path) -> None:
    """A loop of symlinks is ELOOP for reading and changing, and stays."""
    loop = tmp_path / "loop.json"
    loop.symlink_to("loop.json")
    document = Document(loop, default={})

    for call in (document.read, lambda: document.update(lambda s: s.update(n=1))):
        with pytest.raises(OSError) as caught:
            call()
        assert errno.ELOOP == caught.value.errno
    assert loop.is_symlink()


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """A folder or a FIFO is refused and does not hang."""
    path = tmp_path / "state.json"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    document = Document(path, default={})

    for call in (document.read, lambda: document.update(lambda s: s.update(n=1))):
        with pytest.raises(PromiseUnavailable):
            call()


def test_too_large_a_file_is_not_read(json: Path) -> None:
    """A file beyond `max_size_bytes` is DecodeError, whatever it holds."""
    os.truncate(json, 1 << 40)

    with pytest.raises(DecodeError, match="larger than"):
        Document(json, default={}).read()


def test_lock_of_another_is_a_timeout(json: Path) -> None:
    """A held lock ends the wait with LockTimeout and changes nothing."""
    with holdfast.FileLock(f"{json}.lock"), pytest.raises(LockTimeout):
        Document(json).update(lambda state: state.update(n=2), timeout_s=0.01)

    assert '"n": 1' in json.read_text()


def test_nested_update_is_refused_and_not_a_hang(json: Path) -> None:
    """A second change of the same document inside an `edit` would wait for itself: RuntimeError."""
    document = Document(json)

    with pytest.raises(RuntimeError), document.edit():
        document.update(lambda state: state.update(n=2))

    assert '"n": 1' in json.read_text()


def test_long_names_have_a_lock_too(tmp_path: Path) -> None:
    """A name of 255 bytes gets a lock with a hashed name, its own."""
    names = ["ä" * 125 + ".json", "ä" * 124 + "bb.json"]
    for name in names:
        Document(tmp_path / name, default={}).update(lambda state: state.update(n=1))

    assert 4 == len(list(tmp_path.iterdir()))
    assert all('"n": 1' in (tmp_path / name).read_text() for name in names)


MIGRATIONS = {1: lambda d: d.update(b=d.pop("a")), 2: lambda d: {"version": 0, "c": d["b"] * 2}}


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
    json.write_text('{"version": %s}' % version)

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


def test_old_versions_are_kept_and_restored(json: Path) -> None:
    """`keep=2` leaves the last two replaced versions, with their bytes, and `restore` brings one back."""
    texts = [json.read_text()]
    document = Document(json, keep=2)
    for number in (2, 3, 4):
        document.update(lambda state, number=number: state.update(n=number))
        texts.append(json.read_text())

    assert [(2, texts[1]), (3, texts[2])] == [(v.number, v.path.read_text()) for v in document.versions()]
    assert 2 == document.restore(2)["n"]
    assert texts[1] == json.read_text()
    assert [3, 4] == [version.number for version in document.versions()]
    assert texts[3] == document.versions()[-1].path.read_text()


def test_restore_of_what_is_not_kept_is_an_error(json: Path) -> None:
    """A number that is not kept is FileNotFoundError naming those that are; the file stays."""
    document = Document(json, keep=1)
    document.update(lambda state: state.update(n=2))

    with pytest.raises(FileNotFoundError) as caught:
        document.restore(7)

    assert "Versions kept: 1." in caught.value.__notes__[0]
    assert 2 == document.read()["n"]


def test_restore_of_damage_is_refused(json: Path) -> None:
    """An old version that does not decode is not restored."""
    document = Document(json, keep=1)
    document.update(lambda state: state.update(n=2))
    document.versions()[0].path.write_text("{")

    with pytest.raises(DecodeError):
        document.restore(1)

    assert 2 == document.read()["n"]


def test_names_like_old_versions_are_left_alone(json: Path) -> None:
    """Files that only look similar are neither listed nor removed."""
    strangers = ["state.json.~~", "state.json.~x~", "state.json.~01~", "other.json.~1~", "state.json.~1~.bak"]
    for name in strangers:
        json.with_name(name).write_text("mine")
    document = Document(json, keep=1)
    for number in range(3):
        document.update(lambda state, number=number: state.update(n=number + 2))

    assert [3] == [version.number for version in document.versions()]
    assert all("mine" == json.with_name(name).read_text() for name in strangers)


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


def test_relative_path_is_bound_at_the_start(json: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later chdir does not redirect a document."""
    monkeypatch.chdir(json.parent)
    document = Document("state.json")
    monkeypatch.chdir("/")

    document.update(lambda state: state.update(n=2))

    assert '"n": 2' in json.read_text()


def test_mode_is_kept_and_new_mode_is_exact(json: Path) -> None:
    """A changed file keeps its mode; a new one has the mode that was asked for."""
    json.chmod(0o640)
    Document(json).update(lambda state: state.update(n=2))
    new = json.with_name("new.json")
    Document(new, default={}, permissions=0o600).update(lambda state: state.update(n=2))

    assert [0o640, 0o600] == [path.stat().st_mode & 0o7777 for path in (json, new)]


def test_threads_lose_nothing(json: Path) -> None:
    """Threads on one object, and on objects of their own, lose no update."""
    shared = Document(json)

    def work(number: int) -> None:
        document = shared if number % 2 else Document(json)
        for _ in range(10):
            document.update(lambda state: state.update(n=state["n"] + 1))

    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 81 == shared.read()["n"]


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

        await asyncio.gather(*(edit() for _ in range(30)), *(document.aupdate(add) for _ in range(30)))

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
        document = Document(json, keep=3, default={})
        value, version = await document.asnapshot()
        version = await document.awrite({**value, "n": 2}, if_version=version)
        draft = await document.acheckout()
        draft.value["n"] = 3
        assert (await draft.acommit()).written
        assert [1, 2] == [kept.number for kept in await document.aversions()]
        assert 1 == (await document.arestore(1))["n"]
        assert await document.aquarantine() is None
        json.write_text("{")
        assert json.with_name("state.json.corrupt-1") == await document.aquarantine()

    asyncio.run(main())


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


def test_close_gives_back_the_descriptors(json: Path) -> None:
    """A closed document holds no descriptor and can still be used."""
    before = len(os.listdir("/proc/self/fd"))
    with Document(json) as document:
        document.update(lambda state: state.update(n=2))

    assert before == len(os.listdir("/proc/self/fd"))
    assert 2 == document.read()["n"]
    assert "state.json" in repr(document)


@dataclass
class Account:
    """Has fields that files of older programs lack."""

    name: str = ""
    tags: list[str] = field(default_factory=list)
    window: Window = field(default_factory=Window)
    groups: set[str] = field(default_factory=set)
    members: list[Window] = field(default_factory=list)


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
def test_field_that_only_the_default_has_can_be_changed(json: Path, change: Any, expected: Any) -> None:
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
    json.write_text('{"members": [{"size": 1, "id": "a"}, {"size": 2, "id": "b"}, {"size": 3, "id": "c"}]}')

    Document(json, Account).update(lambda a: setattr(a, "members", [Window(size) for size in sizes]))

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
    """A document with migrations is of the latest version after each write, whatever the value says."""
    document = Document(json, migrations=MIGRATIONS)
    json.write_text('{"a": 4}')
    document.write({"c": 1})

    assert {"version": 3, "c": 1} == Document(json).read()
    document.update(lambda state: state.update(version=1, c=2))
    assert {"version": 3, "c": 2} == Document(json, migrations=MIGRATIONS).read()
