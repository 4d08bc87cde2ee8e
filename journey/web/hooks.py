"""Twilio's calls: receipts of what we sent, and what patients answer. Each must be signed by Twilio."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from journey.bootstrap import INBOUND_HOOK, STATUS_HOOK, App, public_address
from journey.channels.twilio_codes import read_incoming, read_receipt
from journey.channels.twilio_sms import is_signed_by_twilio
from journey.services.conversation.receiving import Yes, follow
from journey.services.conversation.receiving import receive as receive_reply
from journey.services.receipts import receive
from journey.web.access import SIGNED
from journey.web.requests import TheApp

router = APIRouter(dependencies=[SIGNED])
_READ_SECONDS = 10.0  # for a body that Twilio sends at once
_MAX_FORM = 40_000  # bytes; 1,600 characters of a text, each escaped, and some twenty short fields
_NO_ANSWER = "<Response/>"  # answers go out as messages of their own, which are kept and sent once


class _Signed:
    """A dependency: the fields of a call to a hook that Twilio signed. 408 for a slow body, 413 for a large
    one, 403 for any other."""

    def __init__(self, hook: str) -> None:
        self._hook = hook

    async def __call__(self, request: Request, app: TheApp) -> dict[str, str]:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                form = await _read_form(request)
        except TimeoutError:
            raise HTTPException(408) from None
        if not _is_signed(request, app, self._hook, form):
            raise HTTPException(403)
        return form


StatusForm = Annotated[dict[str, str], Depends(_Signed(STATUS_HOOK))]
InboundForm = Annotated[dict[str, str], Depends(_Signed(INBOUND_HOOK))]


@router.post(f"/{STATUS_HOOK}")
async def status(request: Request, app: TheApp, form: StatusForm) -> Response:
    """404 for no message of ours, 204 when taken (also if it says nothing new)."""
    try:
        message_id = UUID(request.query_params["message"])
        attempt = int(request.query_params["attempt"])
    except (KeyError, ValueError):
        return Response(status_code=404)
    said, sid = form.get("MessageStatus", ""), form.get("MessageSid", "")
    receipt = read_receipt(said, sid, form.get("ErrorCode", ""))
    if receipt is None:
        return Response(status_code=204)
    known = await run_in_threadpool(receive, app.context, app.library, message_id, attempt, receipt)
    return Response(status_code=204 if known else 404)


@router.post(f"/{INBOUND_HOOK}")
async def inbound(request: Request, app: TheApp, form: InboundForm) -> Response:
    """A patient's text: kept before it is answered, told twice or not. 400 for what is no message."""
    incoming = read_incoming(form)
    if incoming is None or form.get("AccountSid") != app.settings.twilio_account_sid:
        return Response(status_code=400)
    yes = await run_in_threadpool(receive_reply, app.context, app.library, incoming)
    rest = BackgroundTask(_note, request.app.state.noting, app, yes) if yes else None
    return Response(_NO_ANSWER, media_type="text/xml", background=rest)


async def _note(few: asyncio.Semaphore, app: App, yes: Yes) -> None:
    """It may wait for a message on its way, and must not keep all threads from others."""
    async with few:
        await run_in_threadpool(follow, app.context, yes)


async def _read_form(request: Request) -> dict[str, str]:
    """The form's fields; 413 if it is larger than any call, whatever its headers say; 400 for one twice."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            raise HTTPException(413)
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise HTTPException(400)  # which of two would be meant?
    return fields


def _is_signed(request: Request, app: App, hook: str, form: dict[str, str]) -> bool:
    """Checked over the configured public URL: proxy headers could be anybody's."""
    token = app.settings.twilio_auth_token.get_secret_value()
    query = request.url.query
    url = public_address(app.settings, hook) + (f"?{query}" if query else "")
    signature = request.headers.get("x-twilio-signature", "")
    return bool(token) and is_signed_by_twilio(token, url, form, signature)
