"""How a patient can be reached: addresses with consent that nobody has stopped."""

from __future__ import annotations

from collections.abc import Mapping

from journey.domain.contact import ContactPlan, Person
from journey.domain.pathway import Channel
from journey.store.database import Tx


def reachable_channels(
    sealer_tokens: Mapping[Channel, list[bytes]],
    suppressed: set[tuple[bytes, Channel]],
    contact: ContactPlan,
) -> tuple[Channel, ...]:
    """Channels with an address, consent and no suppression, the preferred one first."""
    consent = {Channel.SMS: contact.consent_sms, Channel.EMAIL: contact.consent_email}
    usable = [
        channel
        for channel, tokens in sealer_tokens.items()
        if consent[channel] and not any((token, channel) in suppressed for token in tokens)
    ]
    return tuple(sorted(usable, key=lambda channel: channel is not contact.prefers))


def address_tokens(tx: Tx, person: Person) -> dict[Channel, list[bytes]]:
    """Every token under which a patient's addresses may be suppressed."""
    addresses = {Channel.SMS: person.phone, Channel.EMAIL: person.email}
    return {
        channel: tx.sealer.tokens(channel.value, address.casefold())
        for channel, address in addresses.items()
        if address
    }
