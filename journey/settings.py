"""The only reader of the environment: every setting, its default and what it means.

Each variable has the prefix JOURNEY_. Any of them may be given as a file instead, for secrets by
file: JOURNEY_SECRET_KEYS_FILE=/run/secrets/journey_keys.
"""

from __future__ import annotations

import difflib
import os
import re
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "JOURNEY_"


class SettingsError(ValueError):
    """Settings that cannot work, in words for the operator."""


class Settings(BaseSettings):
    """Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    data_dir: Path = Path("data")
    database_url: SecretStr = SecretStr("")  # empty: SQLite in the data directory
    redis_url: SecretStr = SecretStr("")  # empty: everything in one process
    public_url: str = "http://127.0.0.1:8000"
    secret_keys: SecretStr = SecretStr("")  # empty: a key file in the data directory

    sms: Literal["outbox", "twilio"] = "outbox"
    email: Literal["outbox", "smtp"] = "outbox"
    twilio_account_sid: str = ""
    twilio_auth_token: SecretStr = SecretStr("")
    twilio_from: str = ""
    twilio_messaging_service_sid: str = ""
    twilio_api_url: str = "https://api.twilio.com"
    twilio_messages_per_second: float = Field(default=1.0, gt=0)  # a US long code's rate
    smtp_url: SecretStr = SecretStr("")  # smtp://user:password@host:587, smtps://host:465
    email_from: str = ""

    sms_segment_price: float = Field(default=0, ge=0)  # what the provider takes, for reports; 0: not known
    currency: str = Field(default="GBP", pattern=r"^[A-Z]{3}$")
    api_requests_per_minute: int = Field(default=1200, ge=1)  # of one key
    # Whose word about a visitor's address is taken, as addresses or networks: the reverse proxy.
    trusted_proxies: str = "127.0.0.1,::1"

    session_idle_minutes: float = Field(default=30, gt=0)  # of a staff member's browser, since its last page
    session_hours: float = Field(default=12, gt=0)  # at most, whatever happens in it

    oidc_issuer: str = ""  # single sign-on: the provider's address; empty: passwords alone
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_name: str = "your hospital account"  # as the button says it

    site_time_zone: str = "Europe/London"  # of the first site, made by `journey migrate`
    site_country: str = "GB"

    # A claim outlives the begin window plus one request by far: see docs/decisions/0002.
    lease_seconds: float = Field(default=40.0, gt=0)
    begin_seconds: float = Field(default=5.0, gt=0)  # a claimed message begins within this or goes back
    request_seconds: float = Field(default=10.0, gt=0)
    lookup_grace_seconds: float = Field(default=45.0, ge=0)  # before "not found" counts, after the try
    batch_size: int = Field(default=128, ge=1, le=1000)
    in_flight: int = Field(default=16, ge=1, le=200)  # requests at once, per worker process
    tick_seconds: float = Field(default=1.0, gt=0)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FromFiles(settings_cls)

    @property
    def is_embedded(self) -> bool:
        return not self.redis_url.get_secret_value()

    @property
    def is_production(self) -> bool:
        """Anything real configured: then secrets must be given, never made up."""
        real_parts = self.redis_url.get_secret_value() or self.sms == "twilio"
        return bool(real_parts or self.email == "smtp" or self._uses_postgres())

    def _uses_postgres(self) -> bool:
        return self.database_url.get_secret_value().startswith("postgres")

    @property
    def effective_database_url(self) -> str:
        given = self.database_url.get_secret_value()
        return given or f"sqlite:///{(self.data_dir / 'journey.sqlite3').absolute()}"

    @field_validator("email_from")
    @classmethod
    def _is_one_address(cls, text: str) -> str:
        address = parseaddr(text)[1]
        if text and ("\n" in text or "\r" in text or not re.fullmatch(r"[^@\s]+@[^@\s]+", address)):
            raise ValueError(f'{text!r} is no sender; write it like "Clinic <hello@clinic.example>"')
        return text

    @field_validator("twilio_api_url", "oidc_issuer")
    @classmethod
    def _is_confidential(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ValueError("must begin with https://, since every request carries a secret")
        return url

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if self.lease_seconds < self.begin_seconds + 2 * self.request_seconds:
            raise ValueError(
                "JOURNEY_LEASE_SECONDS must be at least JOURNEY_BEGIN_SECONDS plus twice "
                "JOURNEY_REQUEST_SECONDS, or a slow request could outlive its claim"
            )
        if self.redis_url.get_secret_value() and not self._uses_postgres():
            raise ValueError(
                "JOURNEY_REDIS_URL is set, so several processes share the work: set "
                "JOURNEY_DATABASE_URL to a PostgreSQL database too"
            )
        return self

    def missing(self) -> list[str]:
        """What production mode still needs, each with what to do."""
        if not self.is_production:
            return self._missing_for_oidc()
        wanted: list[tuple[bool, str]] = [
            (
                not self.secret_keys.get_secret_value(),
                "JOURNEY_SECRET_KEYS is missing; make a key with: journey keys new",
            ),
            *self._missing_for_twilio(),
            *self._missing_for_smtp(),
        ]
        return [text for is_missing, text in wanted if is_missing] + self._missing_for_oidc()

    def _missing_for_oidc(self) -> list[str]:
        if not self.oidc_issuer:
            return []
        wanted = [
            (not self.oidc_client_id, "JOURNEY_OIDC_CLIENT_ID is missing"),
            (not self.oidc_client_secret.get_secret_value(), "JOURNEY_OIDC_CLIENT_SECRET is missing"),
        ]
        return [text for is_missing, text in wanted if is_missing]

    def served_at(self, port: int) -> Self:
        """Links lead to this port of this machine, as long as nobody says where Journey is reached."""
        if "public_url" in self.model_fields_set or self.sms == "twilio":
            return self  # Twilio must be told a real one, which is asked for elsewhere
        return self.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})

    def _missing_for_twilio(self) -> list[tuple[bool, str]]:
        if self.sms != "twilio":
            return []
        sender = self.twilio_from or self.twilio_messaging_service_sid
        return [
            (not self.twilio_account_sid, "JOURNEY_TWILIO_ACCOUNT_SID is missing"),
            (not self.twilio_auth_token.get_secret_value(), "JOURNEY_TWILIO_AUTH_TOKEN is missing"),
            (not sender, "set JOURNEY_TWILIO_FROM or JOURNEY_TWILIO_MESSAGING_SERVICE_SID"),
            (
                "public_url" not in self.model_fields_set,
                "JOURNEY_PUBLIC_URL is missing; Twilio sends its receipts there",
            ),
        ]

    def _missing_for_smtp(self) -> list[tuple[bool, str]]:
        if self.email != "smtp":
            return []
        return [
            (
                not self.smtp_url.get_secret_value(),
                "JOURNEY_SMTP_URL is missing; write it like smtp://user:password@host:587",
            ),
            (
                not self.email_from,
                'JOURNEY_EMAIL_FROM is missing, like "Clinic <hello@clinic.example>"',
            ),
        ]


class _FromFiles(PydanticBaseSettingsSource):
    """JOURNEY_X_FILE gives the path of a file that holds JOURNEY_X."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = os.environ.get(f"{PREFIX}{field_name.upper()}_FILE")
        if not path:
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            raise SettingsError(
                f"{PREFIX}{field_name.upper()}_FILE names {path}, which cannot be read: {error.strerror}"
            ) from error

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(info, name)[0] for name, info in self._fields()}
        return {name: value for name, value in found.items() if value is not None}

    def _fields(self) -> list[tuple[str, FieldInfo]]:
        return list(self.settings_cls.model_fields.items())


def read_settings(**overrides: Any) -> Settings:
    """The settings from the environment. Raises SettingsError, naming each variable at fault."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        faults = []
        for fault in error.errors():
            name = f"{PREFIX}{fault['loc'][0]!s}".upper() if fault["loc"] else ""
            faults.append(f"{name}: {fault['msg']}".removeprefix(": "))
        raise SettingsError("; ".join(faults).replace("Value error, ", "")) from None


def unknown_names() -> dict[str, str]:
    """Variables of the environment that look like ours and are none, each with the nearest name or ""."""
    known = [f"{PREFIX}{name.upper()}{end}" for name in Settings.model_fields for end in ("", "_FILE")]
    strange = [name for name in sorted(os.environ) if name.startswith(PREFIX) and name not in known]
    return {name: next(iter(difflib.get_close_matches(name, known, 1)), "") for name in strange}
