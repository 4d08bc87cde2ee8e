"""A small web server inside the test that receives the fake's status callbacks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from twilio.request_validator import RequestValidator


@dataclass
class Hook:
    """What came in; `refusals` is how many posts to answer with 503 first."""

    auth_token: str
    url: str = ""
    refusals: int = 0
    received: list[dict[str, str]] = field(default_factory=list)
    signatures_hold: list[bool] = field(default_factory=list)

    @property
    def statuses(self) -> list[str]:
        return [form["MessageStatus"] for form in self.received]

    async def handle(self, request: web.BaseRequest) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=503)
        self.received.append(form)
        signature = request.headers["X-Twilio-Signature"]
        validator = RequestValidator(self.auth_token)
        self.signatures_hold.append(validator.validate(self.url, form, signature))
        return web.Response(status=204)


@asynccontextmanager
async def running_hook(auth_token: str) -> AsyncIterator[Hook]:
    hook = Hook(auth_token)
    runner = web.ServerRunner(web.Server(hook.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, port = runner.addresses[0]
    hook.url = f"http://127.0.0.1:{port}/hooks/twilio/status?attempt=a%2Fb%201"
    try:
        yield hook
    finally:
        await runner.cleanup()
