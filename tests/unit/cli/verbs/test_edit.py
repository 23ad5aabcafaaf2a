"""`holdfast edit`."""

from __future__ import annotations

import json
import signal
import stat
import sys
from pathlib import Path

import pytest

from holdfast import FileLock
from tests.support.command_line import run_shell, start_program

PYTHON = sys.executable


def names(folder) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_command_makes_the_new_contents(cli, state) -> None:
    """CMD reads the old contents and prints the new ones; nothing else is printed."""
    assert (0, "", "") == cli("edit", state, "--", "sed", "s/Ada/Bob/")
    assert "Bob" == json.loads(state.read_text())["name"]
    assert ["state.json", "state.json.lock"] == names(state.parent)


def test_mode_is_kept(cli, state) -> None:
    """The file keeps its mode."""
    state.chmod(0o604)

    cli("edit", state, "--", "sed", "s/Ada/Bob/")

    assert 0o604 == stat.S_IMODE(state.stat().st_mode)


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (("sh", "-c", "echo '{}'; exit 3"), 3, "sh exited with 3. {} is unchanged."),
        (("false",), 1, "false exited with 1. {} is unchanged."),
        (
            ("sh", "-c", "echo '{}'; kill -9 $$"),
            137,
            "sh was ended by signal 9. {} is unchanged.",
        ),
        (
            ("true",),
            65,
            "{}: the new contents are empty. It is unchanged. See --allow-empty.",
        ),
        (("echo", "{"), 65, "{}: the new contents are not json: "),
        (("no-such-command",), 127, "no-such-command: No such file or directory"),
        (("/etc",), 126, "/etc: Permission denied"),
    ],
)
def test_failed_command_keeps_the_file(command, code, message, cli, state) -> None:
    """When CMD fails, or prints what is no document, the file stays, and one line says why."""
    state.chmod(0o640)
    before, inode = state.read_bytes(), state.stat().st_ino

    result = cli("edit", state, "--", *command)

    assert (code, "") == (result.code, result.out)
    assert result.err.startswith("holdfast edit: " + message.format(state))
    assert 1 == result.err.count("\n")
    assert (before, inode) == (state.read_bytes(), state.stat().st_ino)
    assert 0o640 == stat.S_IMODE(state.stat().st_mode)


def test_quiet_leaves_the_word_to_the_command(cli, state) -> None:
    """-q says nothing of a command that failed."""
    assert (1, "", "") == cli("edit", "-q", state, "--", "false")


def test_options_of_the_command_are_its_own(cli, state) -> None:
    """What follows `--`, or the file, belongs to CMD."""
    assert 0 == cli("edit", state, "--", "sed", "-e", "s/Ada/Bob/", "--").code
    assert 0 == cli("edit", state, "sed", "-e", "s/Bob/Eve/").code
    assert "Eve" == json.loads(state.read_text())["name"]


def test_parsing_can_be_left_out_or_asked_for(cli, state, tmp_path) -> None:
    """--no-parse takes any contents; --parse checks a file whose suffix says nothing."""
    plain = tmp_path / "plain"
    plain.write_text("a = 1\n")

    assert 65 == cli("edit", "--parse", "toml", plain, "--", "echo", "a =").code
    assert 0 == cli("edit", plain, "--", "echo", "a =").code
    assert 0 == cli("edit", "--no-parse", state, "--", "echo", "{").code
    assert "{\n" == state.read_text()


def test_empty_contents_can_be_allowed(cli, state) -> None:
    """--allow-empty empties the file."""
    assert 0 == cli("edit", "--allow-empty", state, "--", "true").code
    assert b"" == state.read_bytes()


def test_missing_file_is_made_when_asked(cli, tmp_path) -> None:
    """A missing file is exit code 66; --create gives CMD an empty input and makes it."""
    path = tmp_path / "new.txt"

    assert 66 == cli("edit", path, "--", "cat").code
    assert 66 == cli("edit", tmp_path / "no/new.txt", "--", "cat").code
    assert [] == list(tmp_path.iterdir())
    assert 0 == cli("edit", "--create", path, "--", "sh", "-c", "cat; echo made").code
    assert "made\n" == path.read_text()


def test_equal_contents_leave_the_file_untouched(cli, state) -> None:
    """When nothing changes nothing is written."""
    inode = state.stat().st_ino

    assert (0, f"holdfast edit: {state} is unchanged\n") == cli("edit", "-v", state, "cat")[::2]
    assert inode == state.stat().st_ino


def test_difference_is_shown(cli, settings) -> None:
    """--diff prints what changes; with --dry-run nothing is replaced."""
    before = settings.read_bytes()

    code, out, _ = cli("edit", "--diff", "--dry-run", settings, "--", "sed", "s/8080/9090/")

    assert 0 == code
    assert "\n-port = 8080\n+port = 9090\n" in out
    assert before == settings.read_bytes()
    assert (
        "\033[31m-port"
        in cli("edit", "--diff", "--color", "always", settings, "--", "sed", "s/8080/1/").out
    )
    assert b"port = 1\n" in settings.read_bytes()


def test_report_names_what_was_written(cli, state) -> None:
    """-v reports what was written."""
    assert cli("edit", "-v", state, "--", "echo", "{}").err.startswith(f"wrote {state} 3 B, synced")


@pytest.mark.parametrize("words", [(), ("-i", "cat"), ("--diff",), ("-",)])
def test_nothing_to_do_is_wrong_usage(words, cli, state) -> None:
    """Without CMD, with CMD and -i, with options in the wrong place: exit code 2."""
    before = state.read_bytes()

    argv = ("-i", state, "--", "cat") if words[:1] == ("-i",) else (state, *words)

    assert 2 == cli("edit", *argv).code
    assert before == state.read_bytes()


def test_command_that_ignores_its_input_is_fine(cli, tmp_path) -> None:
    """A CMD that does not read a large input does not fail for it."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 2_000_000)

    assert 0 == cli("edit", path, "--", "echo", "small").code
    assert "small\n" == path.read_text()


def test_large_file_passes_through(cli, tmp_path) -> None:
    """Input and output that fill every pipe do not deadlock."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 3_000_000)

    assert 0 == cli("edit", path, "--", "tr", "x", "y").code
    assert b"y" * 3_000_000 == path.read_bytes()


def test_lock_is_held_while_the_command_runs(cli, state) -> None:
    """While CMD runs, another change waits; the lock is free afterwards."""
    line = f"flock -n {state}.lock true && exit 9; cat"

    assert 0 == cli("edit", state, "--", "sh", "-c", line).code
    with FileLock(f"{state}.lock") as lock:
        assert 75 == cli("edit", "-w", "0", state, "--", "cat").code
    lock.close()


def test_change_without_the_lock_wins(cli, state) -> None:
    """What somebody without the lock saves while CMD runs stays: exit code 75."""
    code, _, err = cli("edit", state, "--", "sh", "-c", f"echo '{{}}' > {state}; echo '[]'")

    assert 75 == code
    assert "changed by somebody else" in err
    assert "{}\n" == state.read_text()
    assert ["state.json", "state.json.lock"] == names(state.parent)


def test_concurrent_edits_lose_nothing(tmp_path) -> None:
    """Four shells that count up by `edit` at the same time lose no step."""
    (tmp_path / "n").write_text("0\n")
    loop = "for i in $(seq 8); do holdfast edit n -- awk '{print $1 + 1}' || exit; done"

    result = run_shell(f"for j in 1 2 3 4; do ({loop}) & done; wait", cwd=tmp_path)

    assert (0, "") == (result.code, result.err)
    assert "32\n" == (tmp_path / "n").read_text()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_reaches_the_command_and_keeps_the_file(signum, state) -> None:
    """A signal is passed on to CMD; the file stays even if CMD then ends well: 128 + n."""
    before = state.read_bytes()
    command = (
        "import signal, sys\n"
        f"signal.signal({int(signum)}, lambda *_: (print('{{}}', flush=True), sys.exit(0)))\n"
        "print('ready', file=sys.stderr, flush=True)\n"
        "signal.pause()\n"
    )
    program = start_program("edit", state, "--", PYTHON, "-c", command)
    assert program.stderr is not None
    assert b"ready\n" == program.stderr.readline()

    program.send_signal(signum)
    program.communicate(timeout=30)

    assert 128 + signum == program.returncode
    assert before == state.read_bytes()
    assert ["state.json", "state.json.lock"] == names(state.parent)


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Make a script the editor; it gets the copy as its argument."""

    def make(body: str) -> None:
        script = tmp_path / "editor.sh"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        monkeypatch.setenv("EDITOR", f"'{script}' --flag")
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
        (tmp_path / "tmp").mkdir()

    return make


def test_editor_works_on_a_copy(editor, cli, state, tmp_path) -> None:
    """-i opens the editor on a copy of the same name; what it saves becomes the file."""
    editor(f'test "$(basename $2)" = state.json && sed -i s/Ada/Bob/ $2 && grep -q Ada {state}')

    assert 0 == cli("edit", "-i", state).code
    assert "Bob" == json.loads(state.read_text())["name"]
    assert [] == names(tmp_path / "tmp")


@pytest.mark.parametrize(
    ("body", "code"),
    [("exit 5", 5), ("rm $2", 65), ("kill -9 $$", 137), ("rm -r $(dirname $2)", 65)],
)
def test_failed_editor_keeps_the_file(body, code, editor, cli, state, tmp_path) -> None:
    """If the editor fails, or leaves nothing, the file stays and no copy is left."""
    editor(body)
    before = state.read_bytes()

    assert code == cli("edit", "-i", state).code
    assert before == state.read_bytes()
    assert [] == names(tmp_path / "tmp")


def test_missing_editor_is_a_wrong_setting(cli, state, monkeypatch) -> None:
    """Without $VISUAL and $EDITOR the exit code is 78, and 127 when the editor is not there."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "")
    assert 78 == cli("edit", "-i", state).code

    monkeypatch.setenv("EDITOR", "'unclosed")
    assert 78 == cli("edit", "-i", state).code

    monkeypatch.setenv("VISUAL", "no-such-editor")
    assert 127 == cli("edit", "-i", state).code


@pytest.mark.parametrize("command", ["echo '{}'", "head -c 100"])
def test_command_that_stops_reading_does_not_end_the_program(command, tmp_path) -> None:
    """A CMD that does not read all of a large file breaks a pipe, and nothing else."""
    (tmp_path / "large").write_bytes(b"{}" * 200_000)

    assert (0, "", "") == run_shell(f"holdfast edit large -- {command}", cwd=tmp_path)
    assert (tmp_path / "large").read_bytes() in (b"{}\n", b"{}" * 50)


def test_command_has_the_default_broken_pipe(tmp_path) -> None:
    """CMD itself ends by a broken pipe, as it does without `holdfast`."""
    (tmp_path / "f").write_bytes(b"old")
    line = "holdfast edit f -- bash -c 'yes | head -n 1 > /dev/null; echo ${PIPESTATUS[0]}'"

    assert 0 == run_shell(line, cwd=tmp_path).code
    assert b"141\n" == (tmp_path / "f").read_bytes()


def test_command_that_ends_well_after_a_signal_is_not_said_to_be_killed(state) -> None:
    """The message tells a signal that came from one that ended CMD."""
    script = state.with_name("script.sh")
    script.write_text("trap 'echo {}; exit 0' TERM; kill -TERM $PPID; while :; do :; done\n")

    code, _, err = run_shell("holdfast edit state.json -- sh script.sh", cwd=state.parent)

    line = "holdfast edit: signal 15 came while sh ran. state.json is unchanged.\n"
    assert (143, line) == (code, err)


def test_difference_that_cannot_be_printed_changes_nothing(state) -> None:
    """When --diff cannot be printed the file stays."""
    before = state.read_bytes()

    line = "holdfast edit --diff state.json -- sed s/Ada/Bob/ > /dev/full"
    code, _, err = run_shell(line, cwd=state.parent)

    assert (74, True) == (code, err.endswith("left on device. state.json is unchanged.\n"))
    assert before == state.read_bytes()


def kept(err: str) -> bytes:
    """What is in the copy that a message names."""
    return Path(err.rstrip().removesuffix(".").rpartition("What you wrote is in ")[2]).read_bytes()


@pytest.mark.parametrize(
    ("body", "code"),
    [("echo { > $2", 65), ("echo { > $2; exit 3", 3), ("echo { > $2; kill $$", 143)],
)
def test_what_the_user_wrote_is_kept(body, code, editor, cli, state) -> None:
    """What the user wrote is not lost when it cannot be taken; one line says where it is."""
    editor(body)
    before = state.read_bytes()

    result = cli("edit", "-i", state)

    assert (code, "", 1) == (result.code, result.out, result.err.count("\n"))
    assert b"{\n" == kept(result.err)
    assert before == state.read_bytes()


def test_what_the_user_wrote_is_kept_when_somebody_was_faster(editor, cli, state) -> None:
    """What the user wrote is kept when somebody without the lock saves meanwhile."""
    editor(f"echo [] > $2; echo 1 > {state}")

    code, _, err = cli("edit", "-i", state)

    assert (75, b"[]\n", "1\n") == (code, kept(err), state.read_text())


def test_editor_may_leave_anything_beside_the_copy(editor, cli, state, tmp_path) -> None:
    """Folders and files that an editor leaves go with the copy, and are no failure."""
    editor("sed -i s/Ada/Bob/ $2; mkdir -p $(dirname $2)/a/b; touch $(dirname $2)/a/f; touch $2~")

    assert (0, "", "") == cli("edit", "-i", state)
    assert "Bob" == json.loads(state.read_text())["name"]
    assert [] == names(tmp_path / "tmp")
