"""The load: clients that move money between random accounts, and ask again when nobody answers."""

from __future__ import annotations

import http.client
import json
import time
from random import Random
from typing import TYPE_CHECKING, Any

from bank import CASH, Order

if TYPE_CHECKING:
    from fleet import Fleet

_ATTEMPTS = 200
_PAUSE_S = 0.02
_DEPOSIT = 10_000
_LARGEST = 4_000
_LOOKS = 0.2


class Client:
    """One client in a thread of its own; what it was told is in its attributes."""

    def __init__(self, name: str, fleet: Fleet, accounts: list[str]) -> None:
        self.acknowledged: dict[str, Order] = {}
        self.unknown: dict[str, Order] = {}
        self.refused = 0
        self.again = 0
        self.looks = 0
        self.wrong: list[str] = []
        self._name, self._fleet, self._accounts = name, fleet, accounts
        self._dice = Random(name)
        self._connections: dict[int, http.client.HTTPConnection] = {}

    def open_accounts(self) -> None:
        """Open the accounts, and pay the same amount into each.

        Raises:
            RuntimeError: that cannot be done, so there is nothing to load.
        """
        for name in (CASH, *self._accounts):
            status, answer = self._ask("PUT", f"/accounts/{name}", {"owner": name.title()})
            if status not in {200, 201}:
                raise RuntimeError(f"{name}: {status} {answer}\n{self._fleet.said()}")
        for name in self._accounts:
            self.send(f"deposit-{name}", Order(CASH, name, _DEPOSIT))

    def run(self, end: float) -> None:
        """Make transfers until then."""
        number = 0
        while time.monotonic() < end:
            number += 1
            source, target = self._dice.sample(self._accounts, 2)
            amount = self._dice.randint(1, _LARGEST)
            self.send(f"{self._name}-{number}", Order(source, target, amount))
        self.close()

    def send(self, key: str, order: Order) -> None:
        """Make one transfer; then, now and then, look whether all workers know of it."""
        status, answer = self._ask("PUT", f"/transfers/{key}", order._asdict())
        if status in {200, 201}:
            self.acknowledged[key] = order
            if self._dice.random() < _LOOKS:
                self._look(key, order)
        elif status == 402:
            self.refused += 1
        elif status == 0:
            self.unknown[key] = order
        else:
            self.wrong.append(f"transfer {key} was answered by {status} {answer}")

    def close(self) -> None:
        """Let go of the connections."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _look(self, key: str, order: Order) -> None:
        self.looks += 1
        status, answer = self._ask("GET", f"/transfers/{key}", None)
        if status and answer != order._asdict():
            self.wrong.append(f"transfer {key} was acknowledged, and then unknown: {answer}")

    def _ask(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Ask one worker after the other until one answers; status 0 if none does."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self.again += 1
                time.sleep(_PAUSE_S)
            port = self._fleet.port(self._dice)
            try:
                status, answer = self._request(port, method, path, body=body)
            except (OSError, http.client.HTTPException):
                self._connections.pop(port).close()
                continue
            if status != 503:
                return status, answer
        return 0, None

    def _request(self, port: int, method: str, path: str, *, body: Any) -> tuple[int, Any]:
        connection = self._connections.get(port)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            self._connections[port] = connection
        connection.request(method, path, None if body is None else json.dumps(body).encode())
        response = connection.getresponse()
        return response.status, json.loads(response.read())
