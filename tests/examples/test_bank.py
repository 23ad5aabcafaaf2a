"""The bank of examples/: what it promises, that its audit can fail, and how it bears kills."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import holdfast
from audit import violations
from bank import CASH, Bank, Order, Refused
from careless import CarelessBank
from tests.support.budget import soak_s

ROOT = Path(__file__).resolve().parents[2]
BANK = ROOT / "examples" / "bank"
ROUND_S = 30.0
PATIENCE_S = 120.0


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    """A bank with three accounts and some money in two of them."""
    with holdfast.Store(tmp_path / "books", sync="never") as store:
        bank = Bank(store)
        for name in (CASH, "ada", "bob", "eve"):
            assert bank.open_account(name, name.title())
        bank.transfer("first", Order(CASH, "ada", 1000))
        bank.transfer("second", Order("ada", "bob", 300))
        yield bank


def books(bank: Bank) -> dict[str, Any]:
    """All that the bank has written down."""
    return dict(bank.store.snapshot())


def test_transfer_moves_money_and_says_why(bank: Bank) -> None:
    """Both balances change, and each statement has the entry."""
    assert 700 == bank.account("ada")["balance"]
    assert 300 == bank.account("bob")["balance"]
    assert [1000, -300] == [entry["amount"] for entry in bank.statement("ada")]
    assert ["ada"] == [entry["other"] for entry in bank.statement("bob")]


def test_transfer_is_made_once_a_key(bank: Bank) -> None:
    """The same transfer with the same key is not made again."""
    before = books(bank)

    assert not bank.transfer("second", Order("ada", "bob", 300))
    assert before == books(bank)


@pytest.mark.parametrize(
    ("key", "order", "status"),
    [
        ("second", Order("ada", "bob", 301), 409),
        ("third", Order("ada", "bob", 701), 402),
        ("third", Order("ada", "nobody", 1), 404),
        ("third", Order("nobody", "ada", 1), 404),
        ("third", Order("ada", "ada", 1), 400),
        ("third", Order("ada", "bob", 0), 400),
        ("third/4", Order("ada", "bob", 1), 400),
    ],
)
def test_what_is_refused_changes_nothing(bank: Bank, key: str, order: Order, status: int) -> None:
    """A refusal, also one in the middle of a transfer, leaves the books as they were."""
    before = books(bank)

    with pytest.raises(Refused) as caught:
        bank.transfer(key, order)
    assert status == caught.value.status
    assert before == books(bank)


def test_sound_books_pass_the_audit(bank: Bank) -> None:
    """The audit finds nothing in books that were kept by transactions."""
    told = {"first": Order(CASH, "ada", 1000), "second": Order("ada", "bob", 300)}

    assert [] == violations(books(bank), told)


def lose_a_transfer(found: dict[str, Any]) -> None:
    """All that a transfer has written, but for the balances."""
    for key in ("transfer/second", "statement/ada/000000002", "statement/bob/000000001"):
        del found[key]


def lose_a_side(found: dict[str, Any]) -> None:
    """What a kill between two puts leaves."""
    del found["statement/bob/000000001"]
    found["account/bob"] = {"owner": "Bob", "balance": 0, "entries": 0}


def lose_an_update(found: dict[str, Any]) -> None:
    """What a balance is when another worker has written the one that it read before."""
    found["account/bob"]["balance"] = 0


def book_it_twice(found: dict[str, Any]) -> None:
    """What a repetition without the key leaves: all adds up, and yet it is there twice."""
    found["statement/ada/000000003"] = {**found["statement/ada/000000002"], "balance": 400}
    found["statement/bob/000000002"] = {**found["statement/bob/000000001"], "balance": 600}
    found["account/ada"].update(balance=400, entries=3)
    found["account/bob"].update(balance=600, entries=2)


def undo_a_transfer(found: dict[str, Any]) -> None:
    """What is left of an acknowledged transfer that is gone without a trace."""
    lose_a_transfer(found)
    found["account/ada"].update(balance=1000, entries=1)
    found["account/bob"].update(balance=0, entries=0)


def change_the_order(found: dict[str, Any]) -> None:
    """A transfer that says another amount than was acknowledged and booked."""
    found["transfer/second"]["amount"] = 299


def make_money(found: dict[str, Any]) -> None:
    """Money from nowhere."""
    found["account/eve"]["balance"] = 1


def lose_an_account(found: dict[str, Any]) -> None:
    """A statement without an account."""
    del found["account/bob"]


def borrow(found: dict[str, Any]) -> None:
    """An account below zero."""
    found["account/eve"]["balance"] = -5
    found["account/ada"]["balance"] += 5


DAMAGE: list[Callable[[dict[str, Any]], None]] = [
    lose_a_transfer, lose_a_side, lose_an_update, book_it_twice, undo_a_transfer, change_the_order,
    make_money, lose_an_account, borrow,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda d: d.__name__)
def test_wrong_books_fail_the_audit(bank: Bank, damage: Callable[[dict[str, Any]], None]) -> None:
    """Whatever was lost, doubled or changed is found."""
    found = books(bank)
    damage(found)

    assert violations(found, {"second": Order("ada", "bob", 300)})


def test_careless_bank_is_found_out_at_a_refusal(tmp_path: Path) -> None:
    """Without the transaction a refusal leaves half of a transfer, and the audit says so."""
    with holdfast.Store(tmp_path / "books", sync="never") as store:
        bank = CarelessBank(store)
        for name in (CASH, "ada"):
            bank.open_account(name, name)
        with pytest.raises(Refused):
            bank.transfer("first", Order(CASH, "nobody", 10))

        assert violations(books(bank), {})


def drive(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the driver in this folder; it ends its own workers."""
    return subprocess.run(
        [sys.executable, str(BANK / "drive.py"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=ROUND_S + PATIENCE_S,
    )


def count_of(row: str, output: str) -> int:
    """The number in a row of the table."""
    found = re.search(rf"^  {row} +([\d,]+)$", output, re.MULTILINE)
    assert found, output
    return int(found[1].replace(",", ""))


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_money_is_made_or_lost_under_kills(tmp_path: Path) -> None:
    """Under load, with workers killed at random, the books are sound and nothing is left over."""
    end, number = time.monotonic() + soak_s(3.0), 0
    while (left := end - time.monotonic()) > 0:
        number += 1
        done = drive(tmp_path, f"--seconds={min(ROUND_S, max(2.0, left)):.1f}", f"--seed={number}")

        assert 0 == done.returncode, done.stdout + done.stderr
        assert count_of("transfers acknowledged", done.stdout) > 20
        assert count_of("workers killed", done.stdout) > 0
        assert count_of("never answered", done.stdout) == 0
        assert [] == list(tmp_path.iterdir())


@pytest.mark.slow
def test_driver_notices_a_bank_without_transactions(tmp_path: Path) -> None:
    """The same load on the bank that writes entry by entry ends with exit code 1."""
    done = drive(tmp_path, "--seconds=2", "--careless")

    assert 1 == done.returncode, done.stdout + done.stderr
    assert "WRONG in" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "status"), [([], 0), (["--careless"], 1)], ids=["sound", "careless"]
)
def test_power_cut_is_survived_by_transactions_alone(
    tmp_path: Path, kind: list[str], status: int
) -> None:
    """The crash tester finds no state with wrong books; without the transaction it does."""
    shutil.copytree(BANK, tmp_path / "bank", ignore=shutil.ignore_patterns("__pycache__"))
    command = ["holdfast", "crash", "--budget=5", "--check=power_cut.py:holds", "--ack=stdout"]
    program = Path(sys.executable).with_name(command[0])
    done = subprocess.run(
        [program, *command[1:], "--", sys.executable, "power_cut.py", *kind],
        cwd=tmp_path / "bank",
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert status == done.returncode, done.stdout + done.stderr


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """One worker, and the port that it serves."""
    with subprocess.Popen(
        [sys.executable, str(BANK / "worker.py"), str(tmp_path / "books")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def test_worker_ends_cleanly_by_sigterm(worker: tuple[subprocess.Popen[str], int]) -> None:
    """A worker that is asked to end does so by itself, with exit code 0."""
    process, _ = worker
    os.kill(process.pid, signal.SIGTERM)

    assert 0 == process.wait(PATIENCE_S)


def test_worker_answers_as_it_says(worker: tuple[subprocess.Popen[str], int]) -> None:
    """Each answer has its status, also to what is no request for a bank; the connection stays."""
    money = b'{"source": "cash", "target": "ada", "amount": 5}'
    more = b'{"source": "cash", "target": "ada", "amount": 6}'
    requests: list[tuple[int, str, str, bytes | None]] = [
        (201, "PUT", "/accounts/cash", b'{"owner": "Cash"}'),
        (201, "PUT", "/accounts/ada", b'{"owner": "Ada"}'),
        (200, "PUT", "/accounts/ada", b'{"owner": "Ada"}'),
        (400, "PUT", "/accounts/a%2Fb", b'{"owner": "Ada"}'),
        (400, "PUT", "/accounts/eve", b"{}"),
        (400, "PUT", "/accounts/eve", b"no json"),
        (400, "PUT", "/accounts/eve", b"[]"),
        (201, "PUT", "/transfers/one", money),
        (200, "PUT", "/transfers/one", money),
        (409, "PUT", "/transfers/one", more),
        (402, "PUT", "/transfers/two", b'{"source": "ada", "target": "cash", "amount": 6}'),
        (400, "PUT", "/transfers/two", b'{"source": "ada", "target": "cash", "amount": true}'),
        (200, "GET", "/transfers/one", None),
        (404, "GET", "/transfers/two", None),
        (200, "GET", "/accounts/ada", None),
        (200, "GET", "/accounts/ada/statement", None),
        (404, "GET", "/accounts/eve/statement", None),
        (404, "GET", "/elsewhere", None),
    ]
    connection = http.client.HTTPConnection("127.0.0.1", worker[1], timeout=PATIENCE_S)
    try:
        for status, method, path, body in requests:
            connection.request(method, path, body)
            response = connection.getresponse()
            answer = json.loads(response.read())

            assert status == response.status, (method, path, answer)
            assert (status >= 400) == ("error" in answer), answer
    finally:
        connection.close()
