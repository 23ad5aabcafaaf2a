"""One worker of the bank: HTTP on loopback. Start as many as you like on one folder.

    PUT /accounts/NAME               {"owner": "Ada"}
    GET /accounts/NAME
    GET /accounts/NAME/statement
    PUT /transfers/KEY               {"source": NAME, "target": NAME, "amount": 300}
    GET /transfers/KEY

201 is made now, 200 was there already. 503 is not known: ask again, with the same key.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

import holdfast
from bank import Bank, Order, Refused

_LARGEST_BODY_BYTES = 64 << 10

Answer = tuple[int, Any]


class Server(ThreadingHTTPServer):
    """Serves one bank; a thread a connection."""

    def __init__(self, port: int, bank: Bank) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.bank = bank
        self.exit_code = 0

    def stop(self) -> None:
        """End `serve_forever`; to be called from any thread but its own."""
        threading.Thread(target=self.shutdown).start()

    def fail(self) -> None:
        """End with an error, so that whoever watches over this process starts another one."""
        self.exit_code = 74
        self.stop()


class Handler(BaseHTTPRequestHandler):
    """One connection: each request becomes a call of the bank."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together

    def do_GET(self) -> None:
        """Look something up."""
        self._serve("GET")

    def do_PUT(self) -> None:
        """Make something; may be repeated."""
        self._serve("PUT")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""

    def _server(self) -> Server:
        return cast("Server", self.server)

    def _serve(self, method: str) -> None:
        try:
            status, value = self._route(method)
        except Refused as error:
            status, value = error.status, {"error": str(error)}
        except holdfast.HandlePoisoned as error:  # a sync has failed: only a new start reads anew
            self._server().fail()
            status, value = 503, {"error": str(error)}
        except (holdfast.Closed, OSError) as error:
            status, value = 503, {"error": str(error)}
        except Exception:
            traceback.print_exc()
            status, value = 500, {"error": "see what this worker has written"}
        self._send(status, json.dumps(value).encode())

    def _route(self, method: str) -> Answer:
        bank = self._server().bank
        match [method, *self.path.strip("/").split("/")]:
            case ["PUT", "accounts", name]:
                made = bank.open_account(name, _text(self._body(), "owner"))
                return (201 if made else 200), bank.account(name)
            case ["GET", "accounts", name]:
                return 200, bank.account(name)
            case ["GET", "accounts", name, "statement"]:
                return 200, bank.statement(name)
            case ["PUT", "transfers", key]:
                order = _order(self._body())
                return (201 if bank.transfer(key, order) else 200), order._asdict()
            case ["GET", "transfers", key]:
                return 200, bank.made(key)
            case _:
                raise Refused(404, "no such place")

    def _body(self) -> dict[str, Any]:
        size = self.headers.get("Content-Length", "")
        if not size.isdecimal() or int(size) > _LARGEST_BODY_BYTES:
            self.close_connection = True  # what was not read would be taken for the next request
            raise Refused(400, "a body of up to 64 KiB, with its Content-Length")
        try:
            body = json.loads(self.rfile.read(int(size)))
        except ValueError:
            raise Refused(400, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise Refused(400, "the body is not an object")
        return body

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise Refused(400, f"{name} is a text")
    return value


def _order(body: dict[str, Any]) -> Order:
    amount = body.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise Refused(400, "amount is a whole number")
    return Order(_text(body, "source"), _text(body, "target"), amount)


def main(kind: type[Bank] = Bank) -> int:
    """Serve until SIGTERM, or with --until-eof until standard input ends; print the port."""
    parser = argparse.ArgumentParser(description="One worker of the bank.")
    parser.add_argument("folder", help="the Store that all workers share")
    parser.add_argument("--port", type=int, default=0, help="default: any that is free")
    parser.add_argument("--checkpoint-bytes", type=int, default=4 << 20)
    parser.add_argument("--until-eof", action="store_true", help="end with who has started it")
    options = parser.parse_args()
    with (
        holdfast.Store(options.folder, checkpoint_bytes=options.checkpoint_bytes) as store,
        Server(options.port, kind(store)) as server,
    ):
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        if options.until_eof:
            threading.Thread(target=_stop_at_eof, args=(server,), daemon=True).start()
        print(server.server_address[1], flush=True)
        server.serve_forever()
        return server.exit_code


def _stop_at_eof(server: Server) -> None:
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    sys.exit(main())
