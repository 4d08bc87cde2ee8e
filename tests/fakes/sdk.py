"""The Twilio SDK, pointed at a fake: what tests of the fake itself call it with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from twilio.http.async_http_client import (
    AsyncTwilioHttpClient,
)
from twilio.rest import Client

from tests.fakes.twilio_process import FakeTwilio

# SDK 9.13 signs in with aiohttp.BasicAuth, which aiohttp 3.14 deprecates.
SDK_WARNINGS = r"ignore:(BasicAuth is|The 'auth' parameter is) deprecated:DeprecationWarning"
TWILIO = "https://api.twilio.com"


class RedirectedClient(AsyncTwilioHttpClient):  # type: ignore[misc]
    """Sends every request to the fake, with a time limit each.

    SDK 9.13 ignores the limit given to the client itself, so it goes on the request.
    """

    def __init__(self, base_url: str, seconds: float) -> None:
        super().__init__()
        self._base_url = base_url
        self._seconds = seconds

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        kwargs["timeout"] = kwargs.get("timeout") or self._seconds
        return await super().request(method, url.replace(TWILIO, self._base_url), *args, **kwargs)


@asynccontextmanager
async def sdk_client(
    fake: FakeTwilio, *, auth_token: str | None = None, seconds: float = 5.0
) -> AsyncIterator[Any]:
    async with RedirectedClient(fake.url, seconds) as http:
        yield Client(fake.account_sid, auth_token or fake.auth_token, http_client=http)
