"""Forms are taken from our own pages only: a page elsewhere cannot make a browser change anything here."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from journey.web.requests import journey_of

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_STRANGE_HOST = "Journey does not go by this name. Open it at its own address (JOURNEY_PUBLIC_URL)."
_REFUSED = "This form came from another site, so nothing was changed. Open the page itself and try again."


def own_pages_only(request: Request) -> None:
    """A dependency for routers with forms. 403 unless the browser says that the form is ours.

    Browsers state where a request comes from in Sec-Fetch-Site, older ones in Origin; a page cannot
    forge either. A request with neither is refused: no browser sends a form without both.
    """
    if request.method in _SAFE:
        return
    if not _is_own_host(request):
        raise HTTPException(403, _STRANGE_HOST)
    said = request.headers.get("sec-fetch-site")
    # "none": the person did it, such as by reloading. "same-site" is another host of the domain.
    allowed = said in ("same-origin", "none") if said else _is_own_origin(request)
    if not allowed:
        raise HTTPException(403, _REFUSED)


def _is_own_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    if not origin:
        return False
    public = urlsplit(journey_of(request).settings.public_url)
    own = {f"{public.scheme}://{public.netloc}", f"{request.url.scheme}://{request.url.netloc}"}
    return origin.lower() in {one.lower() for one in own}


def _is_own_host(request: Request) -> bool:
    """A page elsewhere can point a name of its own at this machine; it cannot do so with a bare address."""
    host = (request.url.hostname or "").lower()
    public = urlsplit(journey_of(request).settings.public_url).hostname
    if host in ("localhost", (public or "").lower()):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
