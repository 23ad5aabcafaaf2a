"""`holdfast set`."""

from __future__ import annotations

import json
import re
import signal

import pytest

from holdfast import FileLock
from tests.support.command_line import (
    run_program,
    run_shell,
    start_program,
    start_shell,
    wait_for_waiter,
)
from tests.unit.cli.conftest import COMMENTED


def value(path, *keys):
    found = json.loads(path.read_text())
    for key in keys:
        found = found[key]
    return found


def test_value_is_changed(cli, state) -> None:
    """KEY VALUE changes one value and prints nothing."""
    assert (0, "", "") == cli("set", state, "deep.yes", "false")
    assert value(state, "deep", "yes") is False


def test_pairs_are_changed_together(cli, state) -> None:
    """KEY=VALUE may be given many times."""
    cli("set", state, "n=2", "new.key=text", "list.-=3", "name=a=b")

    assert {
        "n": 2,
        "name": "a=b",
        "list": [1, 2, 3],
        "deep": {"yes": True},
        "new": {"key": "text"},
    } == value(state)


def test_comments_are_kept(cli, settings) -> None:
    """A change of one value changes its line and nothing else."""
    cli("set", settings, "server.port", "9090")

    assert COMMENTED.replace("8080", "9090") == settings.read_text()


@pytest.mark.parametrize(
    ("kind", "word", "expected"),
    [
        ("--str", "42", "42"),
        ("--int", "042", 42),
        ("--json", "[1]", [1]),
        ("--str", "true", "true"),
    ],
)
def test_kind_can_be_forced(kind, word, expected, cli, state) -> None:
    """--str, --int and --json decide what VALUE is."""
    cli("set", kind, state, "n", word)

    assert expected == value(state, "n")


def test_negative_number_and_dashes_are_values(cli, state) -> None:
    """A negative number is a value; what looks like an option is one after `--`."""
    cli("set", state, "n", "-5")
    cli("set", "--", state, "name", "--help")

    assert (-5, "--help") == (value(state, "n"), value(state, "name"))
    assert "-1005.0\n" == cli("set", "--incr", "-1e3", state, "n").out
    assert 0 == cli("set", state, "n", "-1e5").code
    assert -100000.0 == value(state, "n")


def test_missing_file_is_made(cli, tmp_path) -> None:
    """A missing file is made with what is set."""
    assert 0 == cli("set", tmp_path / "new.json", "a.b", "1").code
    assert {"a": {"b": 1}} == value(tmp_path / "new.json")


def test_existing_makes_nothing(cli, state) -> None:
    """--existing changes what is there, and makes no key and no file."""
    before = state.read_bytes()

    assert 1 == cli("set", "--existing", state, "n=2", "no=1").code
    assert before == state.read_bytes()
    assert 66 == cli("set", "--existing", state.with_name("no.json"), "n=2").code
    assert not state.with_name("no.json.lock").exists()
    assert 0 == cli("set", "--existing", state, "n=2").code
    assert 2 == value(state, "n")


def test_number_is_counted_up(cli, state) -> None:
    """--incr N adds N and prints the sum; a missing number starts from 0 or --default."""
    assert (0, "6\n", "") == cli("set", "--incr", "5", state, "n")
    assert "-1\n" == cli("set", "--incr", "-1", state, "new").out
    assert "8\n" == cli("set", "--incr", "1", "--default", "7", state, "other").out
    assert "6.5\n" == cli("set", "--incr", "0.5", state, "n").out
    assert (6.5, -1, 8) == tuple(value(state, key) for key in ("n", "new", "other"))


def test_what_is_no_number_is_not_counted(cli, state) -> None:
    """--incr of something else is exit code 65, and nothing is changed."""
    before = state.read_bytes()

    assert [65, 65] == [cli("set", "--incr", "1", state, key).code for key in ("name", "deep.yes")]
    assert before == state.read_bytes()


def test_condition_decides(cli, state) -> None:
    """--if changes only where the value is the one that was expected, else exit code 1."""
    before = state.read_bytes()

    code, _, err = cli("set", "--if", "n=2", state, "n=3")
    assert (1, f"holdfast set: {state}: n is not 2\n") == (code, err)
    assert [1, 1] == [cli("set", "--if", c, state, "n=3").code for c in ("n=true", "no=null")]
    assert 1 == cli("set", "--if", "n=1", "--if", "name=Bob", state, "n=3").code
    assert before == state.read_bytes()
    assert 0 == cli("set", "--if", "n=1", "--if", "name=Ada", state, "n=3").code
    assert 3 == value(state, "n")
    assert 0 == cli("set", "--if", "n=3.0", "--if", "list=[1.0, 2]", state, "n=1.0").code
    assert 0 == cli("set", "--if", "n=1", state, "n=4").code


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), ("n",)),
        ((), ("n", "1", "2")),
        ((), ("n=1", "2")),
        ((), ("a..b", "1")),
        (("--int",), ("n", "x")),
        (("--json",), ("n", "x")),
        (("--incr", "1"), ("n", "2")),
        (("--incr", "x"), ("n",)),
        (("--if", "n"), ("n=1",)),
        (("-w", "-1"), ("n=1",)),
        (("-E", "256"), ("n=1",)),
        ((), ("", "5")),
        (("--incr", "1"), ("",)),
    ],
)
def test_mistakes_are_wrong_usage(options, words, cli, state) -> None:
    """What cannot be meant is exit code 2, and nothing is changed."""
    before = state.read_bytes()

    assert 2 == cli("set", *options, state, *words).code
    assert before == state.read_bytes()


def test_all_changes_are_made_or_none(cli, state) -> None:
    """If one of several changes cannot be made, none is."""
    before = state.read_bytes()

    code, _, err = cli("set", state, "n=2", "name.x=1")

    assert 65 == code
    assert (
        f"holdfast set: {state}: name is text, so there can be no x in it. It is unchanged.\n"
        == err
    )
    assert before == state.read_bytes()


@pytest.mark.parametrize(("name", "word"), [("s.json", "1e999"), ("s.toml", "null")])
def test_what_the_format_cannot_hold_is_bad_data(name, word, cli, tmp_path) -> None:
    """A value that the format has no way to write is exit code 65; the file stays."""
    path = tmp_path / name
    path.write_text("{}" if name.endswith("json") else "")
    before = path.read_bytes()

    code, _, err = cli("set", path, "a", word)

    assert (65, 1) == (code, err.count("\n"))
    assert err.endswith("It is unchanged.\n")
    assert before == path.read_bytes()


def test_broken_document_is_kept(cli, state) -> None:
    """A document that does not parse is never overwritten."""
    state.write_text('{"n": ')

    assert 65 == cli("set", state, "n=1").code
    assert '{"n": ' == state.read_text()


def test_whole_document_can_be_set(cli, state) -> None:
    """The key `.` is the whole document."""
    cli("set", state, ".", "[1, 2]")

    assert [1, 2] == value(state)


def test_busy_lock_is_75_or_what_is_asked_for(cli, state) -> None:
    """-w SECS gives up with 75, or what -E says, and names the holder."""
    before = state.read_bytes()
    lock = FileLock(f"{state}.lock")
    with lock:
        code, _, err = cli("set", "-w", "0", state, "n=2")
        other = cli("set", "-w", "0.01", "-E", "9", state, "n=2").code
    lock.close()

    assert (75, 9) == (code, other)
    assert "held by pid" in err
    assert before == state.read_bytes()


def test_report_names_what_was_written(cli, state) -> None:
    """-v reports what was written, or that nothing changed."""
    assert cli("set", "-v", state, "n=2").err.startswith(f"wrote {state} ")
    assert f"{state} is unchanged\n" == cli("set", "-v", state, "n=2").err


def test_signal_while_waiting_changes_nothing(state) -> None:
    """SIGTERM while another holds the lock ends with 143; the file and the lock are untouched."""
    before = state.read_bytes()
    lock = FileLock(f"{state}.lock")
    with lock:
        waiting = start_program("set", state, "n=2")
        wait_for_waiter(lock.path)
        waiting.send_signal(signal.SIGTERM)
        _, err = waiting.communicate(timeout=30)
    lock.close()

    assert (143, b"") == (waiting.returncode, err)
    assert before == state.read_bytes()


def test_concurrent_processes_lose_nothing(state) -> None:
    """Four processes that count up at the same time lose no step, and each sees its own sum."""
    steps = 12
    line = f"for i in $(seq {steps}); do holdfast set --incr 1 state.json n; done"
    children = [start_shell(line, cwd=state.parent) for _ in range(4)]
    sums = [int(word) for child in children for word in child.communicate(timeout=60)[0].split()]

    assert 1 + 4 * steps == value(state, "n")
    assert list(range(2, 2 + 4 * steps)) == sorted(sums)


def test_yaml_comments_are_kept(tmp_path) -> None:
    """The same holds for YAML."""
    path = tmp_path / "s.yaml"
    path.write_text("# top\na: 1   # one\nb:\n- x\n")

    assert 0 == run_program("set", path, "a", "2").code
    assert "# top\na: 2   # one\nb:\n- x\n" == path.read_text()


def test_date_stays_a_date(cli, tmp_path) -> None:
    """A date of TOML stays a date, in a condition too, unless text is forced."""
    path = tmp_path / "s.toml"
    path.write_text("day = 2026-01-01  # first\n")

    assert 0 == cli("set", "--if", "day=2026-01-01", path, "day=2026-11-23").code
    assert "day = 2026-11-23  # first\n" == path.read_text()
    cli("set", "--str", path, "day", "2026-01-01")
    assert 'day = "2026-01-01"  # first\n' == path.read_text()


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_sum_that_cannot_be_printed_was_counted(unbuffered, state) -> None:
    """When the sum cannot be printed, the message says that the change was made."""
    line = f"PYTHONUNBUFFERED={unbuffered} holdfast set --incr 1 state.json n > /dev/full"

    code, _, err = run_shell(line, cwd=state.parent)

    told = "standard output: No space left on device. state.json was changed: the sum is 2."
    assert (74, f"holdfast set: {told}\n", 2) == (code, err, value(state, "n"))


def test_system_s_error_names_the_path_that_was_given(state) -> None:
    """What the system calls by its last name is called as the user called it."""
    state.with_name("state.json.lock").mkdir()
    place = state.parent.name

    code, _, err = run_shell(f"cd ..; holdfast set {place}/state.json n=2", cwd=state.parent)

    lock = f"{place}/state.json.lock"
    told = f"{lock}: Is a directory. Not changed. Changes are made under the lock file {lock}."
    assert (66, f"holdfast set: {told}\n") == (code, err)


def test_message_has_no_word_for_programs(cli, tmp_path) -> None:
    """What a program could pass to go on is not advised at a shell."""
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(1 << 31)

    code, _, err = cli("set", path, "n=1")

    line = f"{path}: larger than 1073741824 bytes. The file is untouched."
    assert (65, f"holdfast set: {line}\n") == (code, err)


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("server", "8080", "server is a table"),
        ("tags", "x", r"Name a place in it \(tags\.0, tags\.-\)"),
        ("server", "null", "null would replace all of it"),
        ("server", "{port: 1}", "server is a table"),
        (".", "1", r"\. is a table"),
    ],
)
def test_plain_value_does_not_replace_a_table_or_list(cli, tmp_path, key, value, named) -> None:
    """A slip is refused, exit code 65, and names what to do; nothing is changed."""
    state = tmp_path / "state.json"
    state.write_text('{"server": {"port": 1}, "tags": ["a"], "n": 1}')

    done = cli("set", state, "n=2", f"{key}={value}")

    assert 65 == done.code
    assert re.search(named, done.err)
    assert "It is unchanged. Name a" in done.err
    assert done.err.endswith(", or say --force.\n")
    assert '{"server": {"port": 1}, "tags": ["a"], "n": 1}' == state.read_text()


def test_force_lets_a_plain_value_replace_a_table(cli, tmp_path) -> None:
    """-f says that it is meant; a table for a table needs no word, nor what is empty."""
    state = tmp_path / "state.json"
    state.write_text('{"server": {"port": 1}, "tags": ["a"], "none": {}}')

    assert 0 == cli("set", "-f", state, "server=8080").code
    assert 0 == cli("set", state, 'tags={"a": 1}', "none=1").code
    assert {"server": 8080, "tags": {"a": 1}, "none": 1} == json.loads(state.read_text())
    assert 0 == cli("set", tmp_path / "new.json", ".", "5").code
