"""`holdfast store put`."""

from __future__ import annotations

import signal

import pytest

from holdfast.cli.stores import Opaque
from holdfast.state.store import Store
from tests.support.command_line import LIMIT_S, start_program, wait_for_waiter


def values(path, **options):
    """What a store holds."""
    with Store(path, read_only=True, **options) as store:
        return dict(store)


@pytest.mark.parametrize(
    ("words", "stdin", "expected"),
    [
        (("8080",), b"", 8080),
        (("true",), b"", True),
        (("a b",), b"", "a b"),
        (('{"a": [1]}',), b"", {"a": [1]}),
        (("-5",), b"", -5),
        (("",), b"", ""),
        (("--str", "0042"), b"", "0042"),
        (("--int", "7"), b"", 7),
        (("--json", '"x"'), b"", "x"),
        ((), b"from input\n", "from input"),
        ((), b"[1,\n2]\n", [1, 2]),
        (("--str",), b"5\n\n", "5\n"),
        (("--no-sync", "1"), b"", 1),
    ],
)
def test_value_is_put(cli, tmp_path, words, stdin, expected) -> None:
    """Typed as `set` does it; from standard input without its last newline."""
    options = [word for word in words if word.startswith("--")]
    value = [word for word in words if not word.startswith("--")]
    path = tmp_path / "s"

    assert (0, "", "") == cli("store", "put", *options, path, "key", *value, stdin=stdin)
    assert {"key": expected} == values(path)


def test_store_of_text_or_bytes_takes_values_as_they_are(cli, tmp_path) -> None:
    """It is made with --codec, and is then known."""
    for codec in ("text", "bytes"):
        path = tmp_path / codec
        assert 0 == cli("store", "put", "--codec", codec, path, "a", "5").code
        assert 0 == cli("store", "put", path, "b", stdin=b"6\n").code

    assert {"a": "5", "b": "6"} == values(tmp_path / "text", codec="text")
    assert {"a": b"5", "b": b"6\n"} == values(tmp_path / "bytes", codec="bytes")
    assert 2 == cli("store", "put", "--int", tmp_path / "text", "a", "5").code


def test_what_cannot_be_put_changes_nothing(cli, tmp_path) -> None:
    """65, or 2 where the words are wrong."""
    path = tmp_path / "s"
    assert 2 == cli("store", "put", "--int", path, "a", "x").code
    assert 2 == cli("store", "put", "--json", path, "a", "{").code
    assert 2 == cli("store", "put", path).code
    assert not path.exists()
    assert 65 == cli("store", "put", path, "k" * 70_000, "1").code
    assert {} == values(path)


def test_store_of_anothers_codec_is_left_to_its_program(cli, tmp_path) -> None:
    """65, and it is unchanged."""
    with Store(tmp_path / "s", codec=Opaque("odd")) as store:
        store["a"] = b"1"
    code, out, err = cli("store", "put", tmp_path / "s", "a", "2")

    assert (65, "") == (code, out)
    assert "codec 'odd'" in err
    assert {"a": b"1"} == values(tmp_path / "s", codec=Opaque("odd"))


@pytest.mark.parametrize("words", [("put", "a", "2"), ("del", "a")])
def test_signal_ends_the_wait_for_others(tmp_path, words) -> None:
    """Whoever is in a transaction holds the store; then nothing is changed."""
    verb, *rest = words
    with Store(tmp_path / "s") as store:
        store["a"] = 1
        with store.transaction() as tx:
            assert 1 == tx["a"]
            program = start_program("store", verb, tmp_path / "s", *rest)
            wait_for_waiter(tmp_path / "s" / "log" / "lock")
            program.send_signal(signal.SIGTERM)
            out, err = program.communicate(timeout=LIMIT_S)

    assert (143, b"", b"") == (program.returncode, out, err)
    assert {"a": 1} == values(tmp_path / "s")


@pytest.mark.parametrize("codec", ["json", "text"])
@pytest.mark.parametrize("words", [(), ("a\udcff",)], ids=["input", "word"])
def test_value_that_is_not_utf_8_is_65(cli, tmp_path, codec, words) -> None:
    """It is no text; a store of bytes takes it."""
    stored = ("store", "put", "--codec", codec, tmp_path / "s", "a", *words)
    code, out, err = cli(*stored, stdin=b"a\xff\n")
    assert (65, "") == (code, out)
    assert "s: the value is no text: byte 0xff at offset 1 is not UTF-8. It is unchanged." in err
    assert not (tmp_path / "s").exists()

    stored = ("store", "put", "--codec", "bytes", tmp_path / "s", "a", *words)
    assert 0 == cli(*stored, stdin=b"a\xff").code
    assert {"a": b"a\xff"} == values(tmp_path / "s", codec="bytes")


def test_codec_of_a_store_that_is_there_is_kept(cli, tmp_path) -> None:
    """Another one is refused; the same is not."""
    words = ("store", "put", tmp_path / "s", "a", "1", "--codec")
    assert (0, 0) == (cli(*words, "json").code, cli(*words, "json").code)
    code, out, err = cli(*words, "text")
    assert (65, "") == (code, out)
    assert "s: its values are json, not text. It is unchanged." in err
    assert {"a": 1} == values(tmp_path / "s")


def test_refusal_of_the_library_is_told_once(cli, tmp_path) -> None:
    """It has the path and the state of the disk already."""
    err = cli("store", "put", tmp_path / "s", "big", "1e999").err
    assert (1, 1) == (err.count("s: "), err.count("Nothing was written."))
    assert "unchanged" not in err
