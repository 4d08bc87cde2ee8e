"""Posting events to other systems, signed as Standard Webhooks says. Never follows a redirect."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.abc import ResolveResult
from standardwebhooks import Webhook

from journey.channels.protocol import Answer, Post, is_metadata_address

_AT_ONCE = 8


def sign(post: Post, now: datetime) -> tuple[bytes, dict[str, str]]:
    """The body and its headers (https://www.standardwebhooks.com)."""
    body = json.dumps(
        {"type": post.type, "timestamp": post.at.isoformat(), "data": dict(post.data)}, separators=(",", ":")
    )
    return body.encode(), {
        "content-type": "application/json",
        "user-agent": "Journey-Webhooks",
        "webhook-id": post.event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(post.secret).sign(post.event_id, now, body),
    }


def post_all(posts: Sequence[Post], now: datetime, seconds: float) -> list[Answer]:
    """Posts concurrently; an answer each, in order. `seconds` is each request's limit."""
    return asyncio.run(_post_all(posts, now, seconds))


async def _post_all(posts: Sequence[Post], now: datetime, seconds: float) -> list[Answer]:
    places = asyncio.Semaphore(_AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=seconds)
    async with aiohttp.ClientSession(
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(resolver=CarefulResolver()),
    ) as session:

        async def post_one(post: Post) -> Answer:
            async with places:
                return await _post(session, post, now)

        return list(await asyncio.gather(*(post_one(post) for post in posts)))


def _phrase(status: int) -> str:
    """Our own words for a status: a receiver's are anybody's."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class CarefulResolver(aiohttp.ThreadedResolver):
    """Finds receivers, but never the machine's own provider, whatever name leads there."""

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        if any(is_metadata_address(one["host"]) for one in found):
            raise OSError("an address of the machine's own provider")
        return found


async def _post(session: aiohttp.ClientSession, post: Post, now: datetime) -> Answer:
    body, headers = sign(post, now)
    try:
        async with session.post(post.url, data=body, headers=headers, allow_redirects=False) as answer:
            return Answer(answer.status, f"{answer.status} {_phrase(answer.status)}".strip())
    except TimeoutError:
        return Answer(0, "no answer in time")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(0, f"cannot be reached ({type(error).__name__})")
