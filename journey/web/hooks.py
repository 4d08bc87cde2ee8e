"""Twilio's status callbacks: signature checked against the configured public URL, then one receipt."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from journey.bootstrap import STATUS_HOOK, App, public_address
from journey.channels.twilio_codes import read_receipt
from journey.channels.twilio_sms import is_signed_by_twilio
from journey.services.receipts import receive
from journey.web.requests import journey_of

router = APIRouter()
_MAX_FORM = 20_000  # bytes; a status callback has about 500


@router.post(f"/{STATUS_HOOK}")
async def status(request: Request, app: App = Depends(journey_of)) -> Response:  # noqa: B008
    """403 for a wrong signature, 404 for no message of ours, 204 when taken (also if it says nothing new)."""
    if int(request.headers.get("content-length") or 0) > _MAX_FORM:
        return Response(status_code=413)
    form = {name: str(value) for name, value in (await request.form()).items()}
    query = request.url.query
    url = public_address(app.settings, STATUS_HOOK) + (f"?{query}" if query else "")
    token = app.settings.twilio_auth_token.get_secret_value()
    if not token or not is_signed_by_twilio(token, url, form, request.headers.get("x-twilio-signature", "")):
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
