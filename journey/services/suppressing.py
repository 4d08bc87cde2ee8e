"""Stopping and restarting messages to an address, with the evidence kept."""

from __future__ import annotations

from uuid import UUID

from journey.domain.contact import read_email, read_phone
from journey.domain.delivery import Reason
from journey.domain.pathway import Channel
from journey.services import renewing
from journey.services.changing import Outcome, outcome_in
from journey.services.context import Context, Refusal
from journey.services.wishes import replan
from journey.store import audit, patients, sites, suppressions


def read_address(context: Context, channel: Channel, text: str) -> str:
    """An address as it is stored, however it was typed. Raises Refusal for what is none."""
    with context.database.read() as tx:
        countries = [stored.site.country for stored in sites.everyone(tx)]
    try:
        if channel is Channel.EMAIL:
            return read_email(text)
        return read_phone(text, countries[0] if countries else "GB")
    except ValueError as error:
        raise Refusal(f"{text} {error}") from None


def count_owners(context: Context, channel: Channel, address: str) -> int:
    """How many patients have the address."""
    with context.database.read() as tx:
        return len(patients.with_addresses(tx, [(channel, address)]))


def is_stopped(context: Context, channel: Channel, address: str) -> bool:
    with context.database.read() as tx:
        tokens = tx.sealer.tokens(channel.value, address.casefold())
        return bool({(token, channel) for token in tokens} & suppressions.active(tx, tokens))


def stop(
    context: Context,
    channel: Channel,
    address: str,
    *,
    source: str,
    evidence: str | None = None,
    reason: Reason = Reason.OPTED_OUT,
) -> bool:
    """No more messages to this address on this channel. Once it returns, none goes out any more.

    False if the address was stopped already. Later messages take another channel where there is one.
    """
    with context.database.write() as tx:
        token = patients.address_token(tx.sealer, channel, address)
        now = context.clock.now()
        added = suppressions.add(tx, channel, address, reason, source, now, evidence)
        detail = {"channel": channel.value, "source": source, "new": added}
        noted = renewing.note(tx, patients.with_addresses(tx, [(channel, address)]), source, now)
        audit.append(tx, [audit.Entry(source, "address.stopped", f"address/{token.hex()}", detail)], now)
    renewing.see_to(context, noted, source)
    return added


def preview_stop(context: Context, enrollment_id: UUID, channel: Channel, address: str) -> Outcome:
    """What stopping an address would do to an enrollment's messages."""
    now = context.clock.now()
    with context.database.rehearse() as tx:
        suppressions.add(tx, channel, address, Reason.OPTED_OUT, "preview", now)
        return outcome_in(tx, enrollment_id, replan(), now)


def preview_restart(context: Context, enrollment_id: UUID, channel: Channel, address: str) -> Outcome:
    """What writing to an address again would do to an enrollment's messages."""
    now = context.clock.now()
    with context.database.rehearse() as tx:
        suppressions.lift(tx, channel, tx.sealer.tokens(channel.value, address.casefold()), now)
        return outcome_in(tx, enrollment_id, replan(), now)


def restart(
    context: Context, channel: Channel, address: str, *, source: str, evidence: str | None = None
) -> bool:
    """Messages may go to this address again. False if it was not stopped."""
    with context.database.write() as tx:
        now = context.clock.now()
        tokens = tx.sealer.tokens(channel.value, address.casefold())
        lifted = suppressions.lift(tx, channel, tokens, now, evidence)
        detail = {"channel": channel.value, "source": source, "was_stopped": lifted}
        entry = audit.Entry(source, "address.restarted", f"address/{tokens[0].hex()}", detail)
        noted = renewing.note(tx, patients.with_addresses(tx, [(channel, address)]), source, now)
        audit.append(tx, [entry], now)
    renewing.see_to(context, noted, source)
    return lifted
