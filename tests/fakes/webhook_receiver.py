"""A system that is told what happens: keeps each request, and answers as it is told to."""

from __future__ import annotations

from tests.fakes.loopback import Loopback, QuietHandler


class Receiver(Loopback):
    """Use it as a context manager. `answers`: status codes for the next requests; 200 after them."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.reason = ""  # in place of the usual words for the code
        receiver = self

        class Handler(QuietHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append(({name.lower(): text for name, text in self.headers.items()}, body))
                code = receiver.answers.pop(0) if receiver.answers else 200
                self.send_response(code, receiver.reason or None)
                if code in (301, 307):
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

        super().__init__(Handler)
