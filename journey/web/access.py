"""Who may open what. Every route carries exactly one rule from here; `check_rules` refuses any without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles
from starlette.routing import Mount

from journey.domain.access import MAY, NEEDS_SECOND_FACTOR, Power
from journey.services.signing_in import session_of, sign_out
from journey.settings import Settings
from journey.store.staff import Session, Staff
from journey.web.requests import journey_of

_NOT_YOURS = "Your role ({role}) does not include this. Ask an admin if you need it."


class SignInNeeded(Exception):
    """Nobody is signed in; what was asked for can go on afterwards."""


class SecondFactorNeeded(Exception):
    """The password was right; the second factor comes next."""

    def __init__(self, *, is_set: bool) -> None:
        super().__init__()
        self.is_set = is_set


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route asks for. `kind`: "public", "signed" (by a provider), "pending", or a power."""

    kind: str


def cookie_name(settings: Settings) -> str:
    """A browser gives a __Host- cookie only to the host that set it, over https."""
    return "__Host-journey" if settings.public_url.startswith("https://") else "journey"


def set_session(request: Request, response: Response, token: str) -> None:
    """The browser's session from now on. One that it had until now is over."""
    settings = journey_of(request).settings
    before = session_behind(request)
    if before is not None and before.is_complete:
        sign_out(journey_of(request).context, before)
    response.set_cookie(
        cookie_name(settings),
        token,
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https://"),
        path="/",
    )


def clear_session(response: Response, settings: Settings) -> None:
    response.delete_cookie(
        cookie_name(settings),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https://"),
    )


def session_behind(request: Request) -> Session | None:
    """The session of a request's cookie, also one whose second factor is still to come."""
    app = journey_of(request)
    token = request.cookies.get(cookie_name(app.settings), "")
    if not token:
        return None
    return session_of(app.context, token, app.session_limits)


class Allow:
    """A dependency: the signed-in person, if their role has the power."""

    def __init__(self, power: Power) -> None:
        self.rule = Rule(power.value)
        self._power = power

    def __call__(self, request: Request) -> Staff:
        session = session_behind(request)
        if session is None:
            raise SignInNeeded
        one = session.staff
        if not session.is_complete:
            raise SecondFactorNeeded(is_set=one.sealed_totp is not None)
        proven = one.sealed_totp is not None or session.has_other_factor
        if one.role in NEEDS_SECOND_FACTOR and not proven:
            raise SecondFactorNeeded(is_set=False)
        if one.role not in MAY[self._power]:
            raise HTTPException(403, _NOT_YOURS.format(role=one.role.value))
        return one


class Pending:
    """A dependency: whoever gave a password, before or after the second factor."""

    rule = Rule("pending")

    def __call__(self, request: Request) -> Session:
        session = session_behind(request)
        if session is None:
            raise SignInNeeded
        return session


class _Open:
    """A dependency for routes that need nobody: what they need is said by `kind`."""

    def __init__(self, kind: str) -> None:
        self.rule = Rule(kind)

    def __call__(self) -> None:
        return None


PUBLIC = Depends(_Open("public"))
SIGNED = Depends(_Open("signed"))
Reader = Annotated[Staff, Depends(Allow(Power.READ))]
Coordinator = Annotated[Staff, Depends(Allow(Power.COORDINATE))]
Administrator = Annotated[Staff, Depends(Allow(Power.ADMINISTER))]
Auditor = Annotated[Staff, Depends(Allow(Power.AUDIT))]
Owner = Annotated[Staff, Depends(Allow(Power.OWN))]
PendingSession = Annotated[Session, Depends(Pending())]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A route with its access rules, of which there must be exactly one."""

    path: str
    methods: frozenset[str]
    rules: tuple[Rule, ...]


def routes_of(web: FastAPI) -> list[Guarded]:
    """Every route that answers, however deep its router is included. Raises for one of unknown kind."""
    found = []
    for context in iter_route_contexts(web.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            calls = _calls(context.dependant)
            rules = tuple(call.rule for call in calls if hasattr(call, "rule"))
            found.append(Guarded(str(context.path), frozenset(context.methods or ()), rules))
        elif not (isinstance(route, Mount) and isinstance(route.app, StaticFiles)):
            raise RuntimeError(f"{route!r} is no route that can carry an access rule")
    return found


def _calls(dependant: Dependant) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def check_rules(web: FastAPI) -> None:
    """An application with a route that nobody guards does not start."""
    bare = [route.path for route in routes_of(web) if len(route.rules) != 1]
    if bare:
        raise RuntimeError(f"these routes need exactly one access rule of web/access.py: {', '.join(bare)}")
