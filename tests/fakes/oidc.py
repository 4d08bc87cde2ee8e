"""An OpenID provider: discovery, codes that work once, PKCE, signed tokens. Told to misbehave, it does."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.fakes.loopback import Loopback, QuietHandler


@cache
def _key() -> RSAKey:
    """One for the whole process: making it takes longer than a test."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


class FakeProvider(Loopback):
    """`claims` go into every ID token over the right ones; `signer` signs them."""

    client_id, client_secret = "journey", "provider-secret"

    def __init__(self) -> None:
        self.key = _key()
        self.signer = self.key
        self.claims: dict[str, Any] = {}
        self.email = "kim@clinic.example"
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/.well-known/openid-configuration":
                    self._say(200, provider.metadata())
                elif parts.path == "/keys":
                    self._say(200, KeySet([provider.key]).as_dict(private=False))
                elif parts.path == "/authorize":
                    self.send_response(302)
                    self.send_header("location", provider.authorize(parts.query))
                    self.end_headers()
                else:
                    self._say(404, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._say(*provider.token(body, self.headers.get("authorization", "")))

            def _say(self, code: int, found: Any) -> None:
                body = json.dumps(found).encode()
                self.send_response(code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(Handler)

    @property
    def issuer(self) -> str:
        return self.url

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self, query: str) -> str:
        """Whoever comes is signed in at once. The address to go back to."""
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        assert asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256"
        assert set(asked["scope"].split()) == {"openid", "email"}
        code = secrets.token_urlsafe(8)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, body: str, authorization: str) -> tuple[int, dict[str, Any]]:
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self._codes.pop(given.get("code", ""), None)
        wanted = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if asked is None or authorization != f"Basic {wanted}":
            return 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])}

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "1",
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": self.email,
            "email_verified": True,
        }
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.claims, self.signer)
