"""A bound on what the API reads: nobody fills the memory before their key is looked at."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from journey.web.api.problems import PREFIX, as_problem

MOST_BYTES = 64 * 1024  # many times the largest request that makes sense
_TOO_LARGE = f"a request holds at most {MOST_BYTES:,} bytes"


class BoundedBodies:
    """ASGI middleware: reads a request's body whole, and answers 413 once it is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # whoever asked is gone
            body += message.get("body", b"")
            if len(body) > MOST_BYTES:
                await as_problem(413, _TOO_LARGE)(scope, receive, send)
                return
            if not message.get("more_body", False):
                break
        read = False

        async def receive_again() -> Message:
            nonlocal read
            if read:
                return await receive()
            read = True
            return {"type": "http.request", "body": bytes(body), "more_body": False}

        await self._app(scope, receive_again, send)
