"""Single sign-on by OpenID Connect: who the provider says it is. Needs the extra journey[oidc]."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from journey.services.context import Refusal
from journey.settings import Settings, SettingsError

_SECONDS = 10.0  # for each request to the provider
_LEEWAY = 60  # seconds that clocks may differ
_SIGNED_BY = ("RS256", "ES256", "PS256")  # never "none", and no shared secrets
_FAILED = "Signing in with {name} did not work: {why}. Try again, or use your password."


@dataclass(frozen=True, slots=True)
class Departure:
    """What is kept in the browser while its owner is at the provider."""

    state: str
    nonce: str
    verifier: str
    next: str


@dataclass(frozen=True, slots=True)
class Proven:
    """Whom the provider vouches for. `has_second_factor`: it asked for one."""

    email: str
    has_second_factor: bool


class Provider:
    """The configured provider. Its addresses and keys are read when they are first needed."""

    def __init__(self, settings: Settings, back: str) -> None:
        try:
            from authlib.integrations.requests_client import OAuth2Session
        except ImportError:
            raise SettingsError("JOURNEY_OIDC_ISSUER is set: install journey[oidc] too") from None
        self._session_class: Any = OAuth2Session
        self._settings, self._back = settings, back
        self._metadata: dict[str, Any] = {}
        self.name = settings.oidc_name

    def leave(self, to: str) -> tuple[str, Departure]:
        """The provider's address to go to, and what to keep meanwhile."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        departure = Departure(state, nonce, verifier, to)
        with self._session() as session:
            address, _ = session.create_authorization_url(
                self._known("authorization_endpoint"),
                state=departure.state,
                nonce=departure.nonce,
                code_verifier=departure.verifier,
            )
        return str(address), departure

    def arrive(self, query: Mapping[str, str], kept: Departure, now: datetime) -> Proven:
        """Who comes back. Raises Refusal for whatever is not exactly as it must be."""
        if not hmac.compare_digest(query.get("state", "").encode(), kept.state.encode()):
            raise self._refusal("the answer belongs to another try")
        if query.get("error") or not query.get("code"):
            raise self._refusal("the provider refused")
        token = self._fetch_token(query["code"], kept.verifier)
        claims = self._read_claims(str(token.get("id_token", "")), kept.nonce, now)
        if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
            raise self._refusal("the provider has not verified your e-mail address")
        methods = claims.get("amr")
        return Proven(claims["email"], isinstance(methods, list) and "mfa" in methods)

    def _session(self) -> Any:
        return self._session_class(
            self._settings.oidc_client_id,
            self._settings.oidc_client_secret.get_secret_value(),
            scope="openid email",
            redirect_uri=self._back,
            code_challenge_method="S256",
        )

    def _fetch_token(self, code: str, verifier: str) -> Mapping[str, Any]:
        from authlib.common.errors import AuthlibBaseError
        from requests import RequestException

        try:
            with self._session() as session:
                found: Mapping[str, Any] = session.fetch_token(
                    self._known("token_endpoint"), code=code, code_verifier=verifier, timeout=_SECONDS
                )
        except (AuthlibBaseError, RequestException, ValueError):
            raise self._refusal("the provider did not accept the answer") from None
        return found

    def _read_claims(self, id_token: str, nonce: str, now: datetime) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": self._known("issuer")},
            aud={"essential": True, "value": self._settings.oidc_client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            keys = KeySet.import_key_set(self._get(self._known("jwks_uri")))
            found = jwt.decode(id_token, keys, algorithms=list(_SIGNED_BY))
            rules.validate(found.claims)
        except (JoseError, ValueError, TypeError, KeyError):
            raise self._refusal("its answer is not signed as it must be, or is not for us") from None
        # Issued to another application, and only readable here (OpenID Connect Core, 3.1.3.7).
        if found.claims.get("azp", self._settings.oidc_client_id) != self._settings.oidc_client_id:
            raise self._refusal("its answer is for another application")
        return dict(found.claims)

    def _known(self, name: str) -> str:
        if not self._metadata:
            issuer = self._settings.oidc_issuer.rstrip("/")
            found = self._get(urljoin(f"{issuer}/", ".well-known/openid-configuration"))
            if str(found.get("issuer", "")).rstrip("/") != issuer:
                raise self._refusal("the provider goes by another name than JOURNEY_OIDC_ISSUER")
            self._metadata = dict(found)
        value = self._metadata.get(name)
        if not isinstance(value, str):
            raise self._refusal(f"the provider names no {name}")
        return value

    def _get(self, address: str) -> Any:
        import requests

        try:
            answer = requests.get(address, timeout=_SECONDS, allow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
        except (requests.RequestException, ValueError):
            raise self._refusal("the provider cannot be reached") from None
        if not isinstance(found, dict):
            raise self._refusal("the provider’s answer cannot be read")
        return found

    def _refusal(self, why: str) -> Refusal:
        return Refusal(_FAILED.format(name=self.name, why=why))
