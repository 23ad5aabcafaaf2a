"""One module a verb, loaded when it is named; and the general help, which loads none."""

from __future__ import annotations

__all__ = ["GROUPS", "HELP", "VERBS"]

VERBS = {
    "write": "write",
    "edit": "edit",
    "get": "get",
    "set": "set",
    "del": "delete",
    "lock": "lock",
    "patch": "patch",
    "records ls": "records_ls",
    "records get": "records_get",
    "records set": "records_set",
    "records append": "records_append",
    "log append": "log_append",
    "log cat": "log_cat",
    "log tail": "log_tail",
    "log follow": "log_follow",
    "log drop": "log_drop",
    "store get": "store_get",
    "store put": "store_put",
    "store del": "store_del",
    "store ls": "store_ls",
    "store export": "store_export",
    "store import": "store_import",
    "store follow": "store_follow",
    "verify": "verify",
    "repair": "repair",
    "inspect": "inspect",
    "sweep": "sweep",
    "doctor": "doctor",
    "crash": "crash",
    "demo": "demo",
    "completion": "completion",
}
"""The module of each verb; some have two words."""

GROUPS = {
    "records": ["ls", "get", "set", "append"],
    "log": ["append", "cat", "tail", "follow", "drop"],
    "store": ["get", "put", "del", "ls", "export", "import", "follow"],
}
"""The second words of each first word that has some."""

HELP = """\
usage: holdfast VERB ...
       holdfast VERB --help

Keeps what is written to files whole, in order and once: through crashes, power
cuts, other processes and other people's editors.

whole files:
  write FILE            replace FILE by standard input
  edit FILE -- CMD      replace FILE by what CMD makes of it, if CMD succeeds

large files of any format:
  patch FILE OFFSET     write standard input over some bytes, all or nothing

files of records (of a fixed size, changed in place):
  records ls FILE       print the records as JSON lines
  records get FILE N    print a record
  records set FILE N    change fields of a record, durably
  records append FILE   append records, or JSON lines of standard input

settings and state (JSON, TOML, YAML; comments are kept):
  get FILE [KEY]        print a value
  set FILE KEY VALUE    change a value
  del FILE KEY...       delete a key

locks:
  lock FILE -- CMD      run CMD while holding a lock, as flock(1) does

logs (records of any bytes, appended by many at once):
  log append DIR        append records, or lines of standard input, durably
  log cat DIR           print the records
  log tail DIR          print the last records; -f: and those that come
  log follow DIR        print the records from one on, and wait for more
  log drop DIR          drop old records

stores (keys and values that many processes share):
  store get DIR KEY     print a value
  store put DIR KEY V   change a value, durably
  store del DIR KEY...  delete keys, all or none
  store ls DIR          print the keys, of one moment
  store export DIR      print all of it as JSON lines
  store import DIR      put JSON lines into it
  store follow DIR      print its changes as they come

what others or a crash have damaged:
  verify PATH           read all of a log, store, file: is it damaged?
  repair PATH --to DIR  save what is whole of a damaged log, store, file

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
