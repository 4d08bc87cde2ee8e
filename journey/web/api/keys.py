"""Who may use the API: a key in the Authorization header, with the scope that the route asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItemPerMinute

from journey.domain.access import Scope
from journey.services.api_keys import holder
from journey.store.api_keys import ApiKey
from journey.web.access import Rule
from journey.web.api.problems import Problem
from journey.web.requests import journey_of
from journey.web.throttle import Throttle

_bearer = HTTPBearer(auto_error=False, description="A key made with: journey api-key add NAME")
_STRANGERS = RateLimitItemPerMinute(300)  # requests of an address with keys that nobody has
_NEEDED = "Send an API key: Authorization: Bearer KEY. An admin makes one under Settings, Other systems"
_UNKNOWN = "Nobody has this API key, or it was revoked"
_TOO_MANY = "Too many requests; wait a minute"


class KeyWith:
    """A dependency: the key behind a request, if it has the scope."""

    def __init__(self, scope: Scope) -> None:
        self.rule = Rule(f"api:{scope.value}")
        self._scope = scope

    def __call__(
        self, request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
    ) -> ApiKey:
        app, throttle = journey_of(request), _throttle(request)
        found = holder(app.context, given.credentials) if given else None
        if found is None:
            address = request.client.host if request.client else ""
            if not throttle.take(_STRANGERS, "api", "stranger", address):
                raise Problem(429, _TOO_MANY, headers={"retry-after": "60"})
            raise Problem(401, _UNKNOWN if given else _NEEDED, headers={"www-authenticate": "Bearer"})
        if not throttle.take(
            RateLimitItemPerMinute(app.settings.api_requests_per_minute), "api", str(found.id)
        ):
            raise Problem(429, _TOO_MANY, headers={"retry-after": "60"})
        require(found, self._scope)
        return found


def require(key: ApiKey, scope: Scope) -> None:
    """Raises Problem for a key without the scope."""
    if scope not in key.scopes:
        raise Problem(403, f"This key may not {scope.value}; its scopes are set when it is made")


def _throttle(request: Request) -> Throttle:
    throttle: Throttle = request.app.state.throttle
    return throttle


ReadKey = Annotated[ApiKey, Depends(KeyWith(Scope.READ))]
WriteKey = Annotated[ApiKey, Depends(KeyWith(Scope.WRITE))]
