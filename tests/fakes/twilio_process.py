"""Starts the fake Twilio as a process of its own, and talks to its control."""

import json
import signal
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.fakes.ledger import Event, read_events
from tests.fakes.process import Child, Server, start_fake, wait_until

ACCOUNT_SID = "AC" + "f" * 32
AUTH_TOKEN = "fake-auth-token"


class FakeTwilio(Server):
    """One running fake; its ledger and its address outlive a `stop` and a new `start`."""

    def __init__(
        self,
        directory: Path,
        *,
        account_sid: str = ACCOUNT_SID,
        auth_token: str = AUTH_TOKEN,
        fsync: bool = True,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.ledger_path = directory / "twilio-ledger.jsonl"
        self.ledger_path.touch()
        self._log = directory / "twilio.log"
        self._fsync = fsync
        self._child: Child | None = None
        self.url = ""
        self.start()

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Start again, on the same port as before, with nothing remembered."""
        port = self.url.rpartition(":")[2] or "0"
        arguments = ["--port", port, "--ledger", str(self.ledger_path)]
        arguments += ["--account-sid", self.account_sid, "--auth-token", self.auth_token]
        if not self._fsync:
            arguments.append("--no-fsync")
        self._child, self.url = start_fake("tests.fakes.twilio", arguments, log=self._log)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(signal.SIGTERM)

    def reset(self) -> None:
        """Forget messages, rules and counters; start the process again if it is gone."""
        if self._child is None or not self._child.is_running:
            self.stop()
            self.start()
        self.control(reset=True)

    def control(self, **settings: Any) -> dict[str, Any]:
        """Set rules=, callbacks=, lookup=, latency=, opted_out=, reset=; see the fake."""
        return self._call("/_control", json.dumps(settings).encode())

    def state(self) -> dict[str, Any]:
        return self._call("/_state")

    def messages(self) -> list[dict[str, Any]]:
        """Accepted messages as the fake remembers them, with their latest status."""
        messages: list[dict[str, Any]] = self._call("/_messages")["messages"]
        return messages

    def events(self) -> list[Event]:
        """Everything in the ledger since the last reset."""
        return read_events(self.ledger_path)

    def accepted(self) -> list[Event]:
        """Read from the ledger file, so it also works after the fake was killed."""
        return [event for event in self.events() if event["event"] == "accepted"]

    def text_in(self, sender: str, body: str, *, to: str, webhook: str = "", pictures: int = 0) -> str:
        """Somebody texts the number `to`, and Twilio tells `webhook` of it. Returns the sid."""
        told = {"from": sender, "to": to, "body": body, "webhook": webhook, "pictures": pictures}
        return str(self._call("/_receive", json.dumps(told).encode())["sid"])

    def wait_for_callbacks(self, *, timeout: float = 10.0) -> None:
        """Until none is on its way; they start with the accept, so none is missed."""
        wait_until(lambda: self.state()["callbacks_pending"] == 0, "end of callbacks", timeout=timeout)

    def _call(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        request = Request(self.url + path, data=body)
        with urlopen(request, timeout=5) as response:
            answer: dict[str, Any] = json.load(response)
        return answer
