"""One-click unsubscribe (RFC 8058): the link shows a button, and only a POST changes anything."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from journey.bootstrap import App
from journey.domain.pathway import Channel
from journey.services.suppressing import is_stopped, stop
from journey.services.unsubscribing import read_unsubscribe_token
from journey.web.access import PUBLIC
from journey.web.requests import journey_of

router = APIRouter(dependencies=[PUBLIC])
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<link rel="stylesheet" href="/static/journey.css"></head>'
    '<body><main class="plain"><h1>{title}</h1>{body}</main></body></html>'
)
_FORM = '<p>{text}</p><form method="post"><button class="primary">Stop these e-mails</button></form>'


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status_code=status)


@router.get("/u/{token}")
def ask(token: str, app: App = Depends(journey_of)) -> HTMLResponse:  # noqa: B008
    """Changes nothing: mail scanners follow links."""
    if read_unsubscribe_token(app.context, token) is None:
        return _unknown()
    return _page("Stop e-mails?", _FORM.format(text="You will get no more e-mails about your procedure."))


@router.post("/u/{token}")
def unsubscribe(token: str, app: App = Depends(journey_of)) -> HTMLResponse:  # noqa: B008
    """Stops e-mail to the address that the link was mailed to; a second time changes nothing."""
    address = read_unsubscribe_token(app.context, token)
    if address is None:
        return _unknown()
    if not is_stopped(app.context, Channel.EMAIL, address):
        stop(app.context, Channel.EMAIL, address, source="unsubscribe link")
    said = "<p>You will get no more of these e-mails. Questions? Phone the clinic.</p>"
    return _page("E-mails stopped", said)


def _unknown() -> HTMLResponse:
    return _page("Unknown link", "<p>This link is not complete. Use the one in your e-mail.</p>", 404)
