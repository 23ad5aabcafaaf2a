"""`holdfast get`."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.support.command_line import run_program, run_shell, start_program


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("n", "1\n"),
        ("name", "Ada\n"),
        ("list.1", "2\n"),
        ("/list/0", "1\n"),
        ("deep.yes", "true\n"),
        ("list", "[\n  1,\n  2\n]\n"),
    ],
)
def test_value_is_printed(key, text, cli, state) -> None:
    """A value is printed plainly, by a dotted key or a JSON Pointer."""
    assert (0, text, "") == cli("get", state, key)


def test_whole_document_is_printed_without_a_key(cli, state) -> None:
    """Without a key the document is printed as JSON."""
    assert json.loads(state.read_text()) == json.loads(cli("get", state).out)


def test_value_of_toml_is_printed(cli, settings) -> None:
    """Settings in TOML are read by the suffix."""
    assert "8080\n" == cli("get", settings, "server.port").out


def test_json_quotes_text(cli, state) -> None:
    """--json prints one JSON document, text in quotes."""
    assert '"Ada"\n' == cli("get", "--json", state, "name").out
    assert '{"yes": true}\n' == cli("get", "--json", state, "deep").out


def test_jsonl_prints_an_item_a_line(cli, state) -> None:
    """--jsonl prints a list one item a line, and any other value on one."""
    assert "1\n2\n" == cli("get", "--jsonl", state, "list").out
    assert '"Ada"\n' == cli("get", "--jsonl", state, "name").out


def test_raw_prints_no_newline(cli, state) -> None:
    """--raw prints the text and nothing after it."""
    assert "Ada" == cli("get", "--raw", state, "name").out


def test_missing_key_is_no(cli, state) -> None:
    """A missing key is exit code 1 and one line, which -q leaves out."""
    assert (1, "", f"holdfast get: {state}: there is no a.b\n") == cli("get", state, "a.b")
    assert (1, "", "") == cli("get", "-q", state, "a.b")


def test_missing_key_in_json_is_a_document(cli, state) -> None:
    """With --json a missing key is also a document on standard output."""
    code, out, _ = cli("get", "--json", state, "no")

    assert (1, 1) == (code, json.loads(out)["error"]["code"])


def test_default_stands_in_for_a_missing_key(cli, state) -> None:
    """--default is printed for a missing key, and for nothing else."""
    assert (0, "8080\n", "") == cli("get", "--default", "8080", state, "port")
    assert "1\n" == cli("get", "--default", "7", state, "n").out


def test_missing_file_is_not_a_missing_key(cli, tmp_path) -> None:
    """A missing file is exit code 66, whatever the default is."""
    code, out, err = cli("get", "--default", "1", tmp_path / "no.json", "n")

    assert (66, "") == (code, out)
    assert f"holdfast get: {tmp_path}/no.json: No such file or directory\n" == err


@pytest.mark.parametrize("text", [b'{"a":', b"", b"\xff", b'{"a": 1} x', b"[" * 5000, b'{"a": \0}'])
def test_broken_document_is_bad_data(text, cli, state) -> None:
    """What does not parse is exit code 65, with its place in one line, and stays."""
    state.write_bytes(text)

    code, out, err = cli("get", state, "a")

    assert (65, "", 1) == (code, out, err.count("\n"))
    assert err.startswith(f"holdfast get: {state}:")
    assert text == state.read_bytes()


def test_message_of_a_broken_document_says_what_to_do(cli, state) -> None:
    """Path and place, what is on disk, what to do; for standard input too."""
    state.write_text('{"a": 1,}')
    remedy = "Mend it there, or name its format with --parse.\n"

    found = cli("get", state, "a")

    assert found.err == (
        f"holdfast get: {state}:1:9: not readable as json: JSON has no comma before a closing "
        f"bracket. The file is untouched. {remedy}"
    )
    assert cli("get", "-", stdin=b"{").err.endswith(f". Nothing was changed. {remedy}")


def test_input_is_read_for_a_dash(cli) -> None:
    """`-` reads standard input, as JSON or what --parse says."""
    assert "1\n" == cli("get", "-", "a", stdin=b'{"a": 1}').out
    assert "2\n" == cli("get", "--parse", "toml", "-", "a", stdin=b"a = 2\n").out
    assert "holdfast get: standard input:" in cli("get", "-", stdin=b"{").err


def test_format_can_be_named(cli, tmp_path) -> None:
    """--parse reads a file whose suffix says nothing; without it that is wrong usage."""
    path = tmp_path / "config"
    path.write_text("a = 1\n")

    assert "1\n" == cli("get", "--parse", "toml", path, "a").out
    assert 2 == cli("get", path, "a").code


def test_folder_is_refused(cli, tmp_path) -> None:
    """What is not a regular file is refused in one line."""
    (tmp_path / "d.json").mkdir()
    os.mkfifo(tmp_path / "f.json")

    for name in ("d.json", "f.json"):
        assert (66, 1) == (
            (result := cli("get", tmp_path / name)).code,
            result.err.count("\n"),
        )


def test_wrong_key_path_is_wrong_usage(cli, state) -> None:
    """A key path that cannot be read is a mistake of usage."""
    assert 2 == cli("get", state, "a..b").code


def test_surrogates_are_printed_as_they_can_be(state) -> None:
    """Text that no terminal can show ends in an answer, not in a traceback."""
    state.write_text('{"bad": "\\ud800"}')

    result = run_program("get", "--json", state, "bad")

    assert (0, '"\\ud800"\n') == (result.code, result.out)
    assert (0, "\\ud800\n", "") == run_program("get", state, "bad")


def test_broken_pipe_ends_by_its_signal(tmp_path) -> None:
    """When the reader has gone, the program ends by SIGPIPE, without a word."""
    path = tmp_path / "large.json"
    path.write_text(json.dumps(["x" * 100] * 50_000))
    program = start_program("get", path)
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.read(1)

    program.stdout.close()

    assert -signal.SIGPIPE == program.wait(timeout=30)
    assert b"" == program.stderr.read()
    program.stderr.close()
    assert program.stdin is not None
    program.stdin.close()


def test_shell_sees_141_for_a_broken_pipe(tmp_path) -> None:
    """In a shell a broken pipe is exit code 141."""
    (tmp_path / "large.json").write_text(json.dumps(["x" * 100] * 50_000))

    line = "holdfast get large.json | head -c 1 > /dev/null; exit ${PIPESTATUS[0]}"

    assert (141, "", "") == run_shell(line, cwd=tmp_path)


def test_full_device_is_an_error(state) -> None:
    """An answer that cannot be written is exit code 74."""
    result = run_shell(f"holdfast get {state} name > /dev/full", cwd=state.parent)

    assert 74 == result.code
    assert "No space left on device" in result.err
