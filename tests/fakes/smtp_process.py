"""Starts the SMTP sink as a process of its own, and reads its ledger."""

import signal
from pathlib import Path

from tests.fakes.ledger import Event, mark_reset, read_events
from tests.fakes.process import Child, Server, start_fake


class SmtpSink(Server):
    """One running sink; `url` is smtp://127.0.0.1:PORT, without the credentials."""

    def __init__(
        self,
        directory: Path,
        *,
        tls: bool = False,
        auth: str | None = None,
        fsync: bool = True,
    ) -> None:
        self.ledger_path = directory / "smtp-ledger.jsonl"
        self.ledger_path.touch()
        self.certificate_path = directory / "certificate.pem"  # written when tls is on
        self._log = directory / "smtp.log"
        self._options = ["--tls"] * tls + ["--no-fsync"] * (not fsync)
        if auth:
            self._options += ["--auth", auth]
        self._child: Child | None = None
        self.url = ""
        self.start()

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def start(self) -> None:
        """Start again, on the same port as before."""
        port = self.url.rpartition(":")[2] or "0"
        arguments = ["--port", port, "--ledger", str(self.ledger_path), *self._options]
        self._child, self.url = start_fake("tests.fakes.smtp_sink", arguments, log=self._log)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop(signal.SIGTERM)

    def reset(self) -> None:
        """Forget earlier messages; start the process again if it is gone."""
        if self._child is None or not self._child.is_running:
            self.stop()
            self.start()
        mark_reset(self.ledger_path)

    def events(self) -> list[Event]:
        """Everything in the ledger since the last reset."""
        return read_events(self.ledger_path)

    def accepted(self) -> list[Event]:
        """Messages the sink took, including those whose sender never got an answer."""
        return [event for event in self.events() if event["event"] == "accepted"]
