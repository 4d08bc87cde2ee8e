"""Somebody who talks to the web application, without a socket between."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp


class Visitor:
    """Keeps one client; close it at the end."""

    def __init__(self, web: ASGIApp, address: str = "127.0.0.1") -> None:
        transport = httpx.ASGITransport(web, client=(address, 40_000))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
        self._runner = asyncio.Runner()

    def get(self, address: str, **how: Any) -> httpx.Response:
        return self._runner.run(self._client.get(address, **how))

    def post(self, address: str, **how: Any) -> httpx.Response:
        return self._runner.run(self._client.post(address, **how))

    def cookie(self, name: str) -> str:
        return self._client.cookies.get(name) or ""

    def set_cookie(self, name: str, value: str) -> None:
        self._client.cookies.clear()
        self._client.cookies.set(name, value)

    def clear_cookies(self) -> None:
        self._client.cookies.clear()

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()
