"""The signed link that stops e-mail with one click, and needs no account and no table."""

from __future__ import annotations

from uuid import UUID

from journey.services.context import Context

_PURPOSE = "unsubscribe"


def unsubscribe_url(context: Context, patient_id: UUID) -> str:
    token = f"{patient_id.hex}.{context.sealer.sign(_PURPOSE, patient_id.hex)}"
    return f"{context.public_url.rstrip('/')}/u/{token}"


def read_unsubscribe_token(context: Context, token: str) -> UUID | None:
    """The patient whose link this is, or None for a forged or broken one."""
    patient, _, signature = token.partition(".")
    try:
        patient_id = UUID(hex=patient)
    except ValueError:
        return None
    return patient_id if context.sealer.is_signed(_PURPOSE, patient_id.hex, signature) else None
