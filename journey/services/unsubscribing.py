"""The link that stops e-mail with one click: it holds its own address, sealed, and needs no table.

So it stops the address that it was mailed to, also after the patient's address was corrected.
"""

from __future__ import annotations

import base64
import binascii

from journey.services.context import Context
from journey.store.sealing import SealError

_PLACE = "unsubscribe"


def unsubscribe_url(context: Context, address: str) -> str:
    """Always the same for an address: an e-mail that is repeated must be the same e-mail."""
    sealed = base64.urlsafe_b64encode(context.sealer.seal_stable(address, _PLACE)).decode().rstrip("=")
    return f"{context.public_url.rstrip('/')}/u/{sealed}"


def read_unsubscribe_token(context: Context, token: str) -> str | None:
    """The address whose link this is, or None for a forged or broken one."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return context.sealer.open_stable(sealed, _PLACE)
    except (binascii.Error, ValueError, SealError):
        return None
