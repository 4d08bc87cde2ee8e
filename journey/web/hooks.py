"""Twilio's status callbacks: signature checked against the configured public URL, then one receipt."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from journey.bootstrap import STATUS_HOOK, App, public_address
from journey.channels.twilio_codes import read_receipt
from journey.channels.twilio_sms import is_signed_by_twilio
from journey.services.receipts import receive
from journey.web.access import SIGNED
from journey.web.requests import journey_of

router = APIRouter(dependencies=[SIGNED])
_READ_SECONDS = 10.0  # for a body that Twilio sends at once
_MAX_FORM = 20_000  # bytes; a status callback has about 500


@router.post(f"/{STATUS_HOOK}")
async def status(request: Request, app: App = Depends(journey_of)) -> Response:  # noqa: B008
    """403 for a wrong signature, 404 for no message of ours, 204 when taken (also if it says nothing new)."""
    try:
        async with asyncio.timeout(_READ_SECONDS):
            form = await _read_form(request)
    except TimeoutError:
        return Response(status_code=408)
    if form is None:
        return Response(status_code=413)
    if not _is_signed(request, app, form):
        return Response(status_code=403)
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


async def _read_form(request: Request) -> dict[str, str] | None:
    """The form's fields; None if it is larger than any callback, whatever its headers say."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_FORM:
            return None
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _is_signed(request: Request, app: App, form: dict[str, str]) -> bool:
    """Checked over the configured public URL: proxy headers could be anybody's."""
    token = app.settings.twilio_auth_token.get_secret_value()
    query = request.url.query
    url = public_address(app.settings, STATUS_HOOK) + (f"?{query}" if query else "")
    signature = request.headers.get("x-twilio-signature", "")
    return bool(token) and is_signed_by_twilio(token, url, form, signature)
