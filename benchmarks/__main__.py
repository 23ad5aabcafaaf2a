"""`python -m benchmarks`: one run, everything interleaved; see README.md beside this file."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

from benchmarks import aims, filesystems, machine, report, runner, tracing
from benchmarks.peers import LOCKS, WRITERS, missing
from benchmarks.store_peers import STORES
from benchmarks.workloads import Setting
from benchmarks.workloads.catalogue import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.machine import Place
    from benchmarks.runner import Measured

_RESULTS = "bench-results"
_MEMORY = "/dev/shm"
_QUIET = 0.15  # more than this share of the processors in other hands moves the ratios too


def main(argv: Sequence[str] | None = None) -> int:
    """Run the workloads that were asked for, print the tables, write the samples."""
    options = _parse(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unmount and tidy up
    os.makedirs(options.dir, exist_ok=True)
    try:
        with ExitStack() as stack:
            return _run(options, stack)
    except KeyboardInterrupt:
        _say("interrupted; nothing is left mounted or written\n")
        return 130


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, about five minutes")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help=f"one of: {', '.join(WORKLOADS)}"
    )
    parser.add_argument("--dir", default=_RESULTS, help="work in a new folder of this one")
    parser.add_argument(
        "--filesystems", action="store_true",
        help="also on images of journaled ext4, xfs and btrfs (root); installs nothing",
    )  # fmt: skip
    parser.add_argument(
        "--slow-disk", action="store_true",
        help="write-many, logs and puts also on a device whose flush takes three ms (root)",
    )  # fmt: skip
    parser.add_argument("--results", default=_RESULTS, help="where the JSON goes")
    options = parser.parse_args(argv)
    options.only = options.only or list(WORKLOADS)
    if unknown := [name for name in options.only if name not in WORKLOADS]:
        parser.error(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    return options


def _run(options: argparse.Namespace, stack: ExitStack) -> int:
    begin, bystanders = time.monotonic(), machine.Bystanders()
    about = machine.describe_machine()
    places = _places(options, stack)
    _print_head(about, places)
    traced = tracing.trace(places[0].folder)
    if traced is None:
        print("guarantees: not verified (strace is missing or may not trace)")
    runs: list[Measured] = []
    failed = 0
    for place, name in [(place, name) for name in options.only for place in places]:
        if _fits(name, place, places[0]):
            try:
                runs += _run_one(name, Setting(place, options.quick), traced)
            except Exception as error:  # the others are worth having; the exit code tells
                failed += 1
                _say("")
                print(f"\n== {name} on {place.label} FAILED: {type(error).__name__}: {error}")
    outcomes = aims.judge(runs, places)
    others = bystanders.share()
    is_busy = others is not None and others > _QUIET
    if is_busy:
        outcomes = aims.doubt(outcomes)
    print("\n".join(report.outcome_lines(outcomes)))
    if is_busy:
        print(f"others used {others:.0%} of the processors meanwhile: trust no verdict of this run")
    about["used_by_others"] = others
    session = report.Session(about, places, traced, runs, outcomes)
    path = report.write_json(options.results, session)
    _say("tidying up")
    stack.close()
    _say("")
    print(f"\n{time.monotonic() - begin:.0f} s; every sample is in {path}")
    if failed:
        print(f"{failed} workloads failed; see above")
    return 1 if failed else 0


def _places(options: argparse.Namespace, stack: ExitStack) -> list[Place]:
    root = _work_folder(options.dir, stack)
    places = [machine.describe_place("disk", root)]
    if os.path.isdir(_MEMORY) and os.access(_MEMORY, os.W_OK):
        places.append(machine.describe_place("memory", _work_folder(_MEMORY, stack)))
    for kind in filesystems.KINDS if options.filesystems else ():
        _say(f"image of {kind}: mkfs, mount")
        try:
            point = stack.enter_context(filesystems.mounted(kind, root))
        except filesystems.Skipped as reason:
            print(f"skipped: {kind} image: {reason}")
        else:
            places.append(machine.describe_place(f"{kind} image", point))
    if options.slow_disk:
        try:
            point = stack.enter_context(filesystems.mounted_slow())
        except filesystems.Skipped as reason:
            print(f"skipped: {filesystems.SLOW}: {reason}")
        else:
            places.append(machine.describe_place(filesystems.SLOW, point))
    return places


def _work_folder(parent: str, stack: ExitStack) -> str:
    folder = tempfile.mkdtemp(prefix="benchmarks-", dir=parent)
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return os.path.realpath(folder)


def _fits(name: str, place: Place, first: Place) -> bool:
    workload = WORKLOADS[name]
    if place is first:
        return True
    if place.label == filesystems.SLOW:
        return workload.on_slow_disk
    return workload.on_disk if place.is_disk else workload.in_memory


def _run_one(
    name: str, setting: Setting, traced: Mapping[str, tracing.Calls] | None
) -> list[Measured]:
    found = []
    with closing(WORKLOADS[name].make(setting)) as experiments:
        for experiment in experiments:
            measured = runner.run(experiment, seed=random.getrandbits(32), progress=_say)
            _say("")
            print("\n".join(report.experiment_lines(measured, setting.place, traced)), flush=True)
            found.append(measured)
    return found


def _print_head(about: Mapping[str, object], places: Sequence[Place]) -> None:
    _say("")
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    for place in places:
        print(place)
    for name in sorted({*WRITERS, *LOCKS, *STORES}):
        if absent := missing(name):
            print(f"left out: {name} ({', '.join(absent)} is not installed)")


def _say(text: str) -> None:
    """A line of progress that the next one overwrites; single lines where nobody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
    elif text and ": round" not in text:
        print(text, file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
