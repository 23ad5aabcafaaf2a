"""`holdfast completion`, in the shells that are here."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.support.command_line import run_shell


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell, cli) -> None:
    """The completion of each shell is printed."""
    code, out, _ = cli("completion", shell)

    assert 0 == code
    assert f"completion for holdfast: made by `python -m holdfast.cli.texts {shell}`" in out


def test_other_shell_is_wrong_usage(cli) -> None:
    """A shell without a completion is exit code 2."""
    assert 2 == cli("completion", "csh").code


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_accepts_its_completion(shell, cli) -> None:
    """The shell itself finds no mistake in the text."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    text = cli("completion", shell).out

    done = subprocess.run([shell, "-n"], input=text.encode(), capture_output=True, check=False)

    assert (0, b"") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    ("words", "proposed"),
    [
        ("holdfast wr", "write"),
        ("holdfast set --ex", "--existing"),
        ("holdfast edit --parse to", "toml"),
        ("holdfast completion fi", "fish"),
        ("holdfast lock l -- mkfif", "mkfifo"),
        ("holdfast get sta", ""),
    ],
)
def test_bash_proposes(words, proposed, tmp_path) -> None:
    """In bash, verbs, options, their values and commands are proposed; files are left to bash."""
    line = (
        "source <(holdfast completion bash); unset -f holdfast; PATH=/bin:/usr/bin\n"
        f"COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _holdfast\n"
        'printf "%s\\n" "${COMPREPLY[0]}"'
    )

    result = run_shell(line, cwd=tmp_path)

    assert (f"{proposed}\n", "") == (result.out, result.err)
