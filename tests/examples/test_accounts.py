"""The accounts of examples/: a transfer that stops between two records is gone on with, once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast
from accounts import BLANK, LAYOUT, Accounts, Refused
from tests.support.budget import soak_s

ROOT = Path(__file__).resolve().parents[2]
EACH = 100


class Killed(BaseException):
    """What a kill is to a worker, in this process."""


class Mortal(Accounts):
    """A worker that is killed before one of its changes of a record."""

    def __init__(self, records: holdfast.RecordFile, lives: int) -> None:
        super().__init__(Counted(records, lives))  # type: ignore[arg-type]


class Counted:
    """The records; after so many changes they end the worker."""

    def __init__(self, records: holdfast.RecordFile, changes: int) -> None:
        self._records, self._left = records, changes
        self.lock = records.lock

    def __getitem__(self, number: int) -> dict[str, object]:
        return dict(self._records[number])

    def update(self, number: int, fields: dict[str, object]) -> object:
        if not self._left:
            raise Killed
        self._left -= 1
        return self._records.update(number, fields)


@pytest.fixture
def records(tmp_path: Path) -> Iterator[holdfast.RecordFile]:
    """Four accounts with some money in each."""
    with holdfast.RecordFile(tmp_path / "accounts.rec", LAYOUT, sync="never") as records:
        records.append_many([BLANK | {"balance": EACH}] * 4)
        yield records


def balances(records: holdfast.RecordFile) -> list[object]:
    return [account["balance"] for account in records]


def test_transfer_moves_money(records: holdfast.RecordFile) -> None:
    """Both balances change, and the payer's payments are counted."""
    accounts = Accounts(records)

    assert [1, 2] == [accounts.transfer(0, 1, 30), accounts.transfer(0, 1, 5)]
    assert [65, 135, 100, 100] == balances(records)


@pytest.mark.parametrize(("payer", "payee", "amount"), [(0, 1, 101), (0, 0, 1), (0, 1, 0)])
def test_what_is_refused_changes_nothing(records, payer, payee, amount) -> None:
    """Too much, to oneself, or nothing at all."""
    with pytest.raises(Refused):
        Accounts(records).transfer(payer, payee, amount)
    assert [EACH] * 4 == balances(records)


@pytest.mark.parametrize("changes", range(3))
def test_worker_killed_between_two_records_loses_nothing(records, changes: int) -> None:
    """Before the first change nothing was paid; after it, all is there, and arrives."""
    with pytest.raises(Killed):
        Mortal(records, changes).transfer(0, 1, 30)
    accounts = Accounts(records)

    assert 4 * EACH == accounts.total()
    assert (1 if changes else 0) == accounts.settle()
    assert ([70, 130, 100, 100] if changes else [EACH] * 4) == balances(records)
    assert 0 == accounts.settle()


@pytest.mark.parametrize("second", range(4))
@pytest.mark.parametrize("first", range(4))
def test_several_killed_workers_entangle_nothing(records, first: int, second: int) -> None:
    """Payments to one account, that of a payer who is paid itself, and then one that is whole."""
    for (payer, payee), changes in (((0, 1), first), ((2, 1), second), ((1, 0), 9)):
        try:
            Mortal(records, changes).transfer(payer, payee, 10)
        except Killed:
            pass
        assert 4 * EACH == Accounts(records).total()
    accounts = Accounts(records)
    accounts.settle()

    paid = [account["payments"] for account in records]
    assert 4 * EACH == sum(account["balance"] for account in records)
    assert EACH - 10 * paid[0] + 10 * paid[1] == records[0]["balance"]
    assert EACH + 10 * paid[0] + 10 * paid[2] - 10 * paid[1] == records[1]["balance"]
    assert (first > 0, 1) == (paid[0] == 1, paid[1])


def test_careless_transfer_is_found_out(records: holdfast.RecordFile) -> None:
    """The sum can fail: two changes without the note in between, and a kill, lose money."""
    records.update(0, {"balance": EACH - 30})  # and the worker is killed here

    assert 4 * EACH - 30 == Accounts(records).total()


@pytest.mark.slow
def test_no_money_is_made_or_lost_under_kills(tmp_path: Path) -> None:
    """Several processes at few accounts, killed at random."""
    program = ROOT / "examples" / "accounts" / "payments.py"
    done = subprocess.run(
        [sys.executable, program, "--seconds", str(soak_s(3)), "--accounts", "30"],
        cwd=tmp_path, capture_output=True, text=True, timeout=soak_s(3) + 100, check=False,
    )  # fmt: skip

    assert "No money was made or lost." in done.stdout, done.stdout + done.stderr
    assert 0 == done.returncode
