"""One module a verb, loaded when it is named; and the general help, which loads none."""

from __future__ import annotations

__all__ = ["HELP", "VERBS"]

VERBS = {
    "write": "write",
    "edit": "edit",
    "get": "get",
    "set": "set",
    "del": "delete",
    "lock": "lock",
    "inspect": "inspect",
    "sweep": "sweep",
    "doctor": "doctor",
    "crash": "crash",
    "demo": "demo",
    "completion": "completion",
}
"""The module of each verb."""

HELP = """\
usage: holdfast VERB ...
       holdfast VERB --help

Keeps what is written to files whole, in order and once: through crashes, power
cuts, other processes and other people's editors.

whole files:
  write FILE            replace FILE by standard input
  edit FILE -- CMD      replace FILE by what CMD makes of it, if CMD succeeds

settings and state (JSON, TOML, YAML; comments are kept):
  get FILE [KEY]        print a value
  set FILE KEY VALUE    change a value
  del FILE KEY...       delete a key

locks:
  lock FILE -- CMD      run CMD while holding a lock, as flock(1) does

your own program:
  crash -- CMD          find what a power cut or a kill of CMD would destroy

looking:
  inspect PATH          say what a file is, who holds it, what is left over
  sweep [DIR]           remove what killed writers left behind
  doctor [DIR]          measure what this disk really gives, and say what fits
  demo                  show it all on your own disk, in under 30 seconds
  completion SHELL      print completions for bash, zsh or fish

options:
  -h, --help            show this help
  -V, --version         show the version

exit codes: 0 done, 1 the answer is no, 2 wrong usage, 65 bad data, 66 no such
file, 69 cannot be done here, 73 exists already, 74 reading or writing failed,
75 busy, 77 not permitted; CMD's own code is passed on.
"""
