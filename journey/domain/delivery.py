"""The states of a message, the one table of its transitions, and the reasons that go with them."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    PLANNED = "planned"  # goes out at its time
    HELD = "held"  # waits for something staff must say or do
    SENDING = "sending"  # claimed by a worker; the provider may already have it
    ACCEPTED = "accepted"  # the provider took it; no receipt yet
    DELIVERED = "delivered"  # the provider says that it reached the patient
    FAILED = "failed"  # the provider refused it or could not deliver it
    UNKNOWN = "unknown"  # the provider may or may not have it; never sent again blindly
    SKIPPED = "skipped"  # not sent, on purpose
    EXPIRED = "expired"  # its deadline passed unsent
    CANCELLED = "cancelled"  # taken back before it went out


OPEN = frozenset({Status.PLANNED, Status.HELD})
IN_FLIGHT = frozenset({Status.SENDING, Status.UNKNOWN})
GONE_OUT = frozenset({Status.ACCEPTED, Status.DELIVERED})
TERMINAL = frozenset({Status.DELIVERED, Status.FAILED, Status.SKIPPED, Status.EXPIRED, Status.CANCELLED})


class Event(StrEnum):
    """What can happen to a message. The past tense is the event's name in the timeline."""

    HOLD = "held"
    RELEASE = "released"
    MOVE = "moved"  # another time, channel or date; the status stays
    CLAIM = "claimed"
    ACCEPT = "accepted"  # the provider answered yes, or a look-up found it
    REFUSE = "refused"  # the provider answered a final no
    RETURN = "returned"  # surely not accepted; goes out again at a later time
    LOSE = "lost"  # no answer, or the worker died: outcome unknown
    SETTLE_ABSENT = "proven absent"  # a look-up after the grace time did not find it
    REPEAT = "to be repeated"  # cannot be proven, and a second copy is the same e-mail to its reader
    ASK_STAFF = "given to staff"  # cannot be proven either way
    DELIVER = "delivered"
    UNDELIVER = "undelivered"
    SKIP = "skipped"
    EXPIRE = "expired"
    CANCEL = "cancelled"


_S, _E = Status, Event
TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (_S.PLANNED, _E.HOLD): _S.HELD,
    (_S.PLANNED, _E.MOVE): _S.PLANNED,
    (_S.PLANNED, _E.CLAIM): _S.SENDING,
    (_S.PLANNED, _E.SKIP): _S.SKIPPED,
    (_S.PLANNED, _E.EXPIRE): _S.EXPIRED,
    (_S.PLANNED, _E.CANCEL): _S.CANCELLED,
    # A receipt for a try that was taken for lost: it did go out, so it must not go out again.
    # (One that says undelivered changes nothing here: trying again is then right.)
    (_S.PLANNED, _E.ACCEPT): _S.ACCEPTED,
    (_S.PLANNED, _E.DELIVER): _S.DELIVERED,
    (_S.PLANNED, _E.ASK_STAFF): _S.UNKNOWN,  # in doubt, and its repeat may not go out as it is
    (_S.HELD, _E.ACCEPT): _S.ACCEPTED,
    (_S.HELD, _E.DELIVER): _S.DELIVERED,
    (_S.HELD, _E.RELEASE): _S.PLANNED,
    (_S.HELD, _E.MOVE): _S.HELD,
    (_S.HELD, _E.HOLD): _S.HELD,  # for another reason
    (_S.HELD, _E.SKIP): _S.SKIPPED,
    (_S.HELD, _E.EXPIRE): _S.EXPIRED,
    (_S.HELD, _E.CANCEL): _S.CANCELLED,
    (_S.SENDING, _E.ACCEPT): _S.ACCEPTED,
    (_S.SENDING, _E.REFUSE): _S.FAILED,
    (_S.SENDING, _E.RETURN): _S.PLANNED,
    (_S.SENDING, _E.LOSE): _S.UNKNOWN,
    (_S.SENDING, _E.EXPIRE): _S.EXPIRED,  # surely not accepted, and no time left to try again
    (_S.SENDING, _E.ASK_STAFF): _S.UNKNOWN,  # in doubt, and no time left to repeat it
    (_S.SENDING, _E.DELIVER): _S.DELIVERED,  # a receipt that overtook the answer
    (_S.SENDING, _E.UNDELIVER): _S.FAILED,
    (_S.UNKNOWN, _E.ACCEPT): _S.ACCEPTED,  # found, or told late by a worker whose lease ran out
    (_S.UNKNOWN, _E.DELIVER): _S.DELIVERED,
    (_S.UNKNOWN, _E.UNDELIVER): _S.FAILED,
    (_S.UNKNOWN, _E.REFUSE): _S.FAILED,
    (_S.UNKNOWN, _E.SETTLE_ABSENT): _S.PLANNED,
    (_S.UNKNOWN, _E.REPEAT): _S.PLANNED,
    (_S.UNKNOWN, _E.ASK_STAFF): _S.UNKNOWN,
    (_S.UNKNOWN, _E.EXPIRE): _S.EXPIRED,  # proven absent, and past the deadline
    (_S.UNKNOWN, _E.SKIP): _S.SKIPPED,  # proven absent, and no longer wanted
    (_S.ACCEPTED, _E.DELIVER): _S.DELIVERED,
    (_S.ACCEPTED, _E.UNDELIVER): _S.FAILED,
}


def next_status(status: Status, event: Event) -> Status | None:
    """The status after the event, or None where the event changes nothing (late or doubled)."""
    return TRANSITIONS.get((status, event))


class Reason(StrEnum):
    """Why a message is in its state. Kept on the row; `domain.explain` puts it in words."""

    NEEDS_ARRIVAL = "needs_arrival"
    NEEDS_COMPLETION = "needs_completion"
    PAUSED = "paused"
    LATE = "late"
    LATE_CALL = "late_call"
    NO_TIME_LEFT = "no_time_left"
    NO_ADDRESS = "no_address"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    BAD_ADDRESS = "bad_address"
    ENROLLMENT_CANCELLED = "enrollment_cancelled"
    WITHDRAWN = "withdrawn"
    POSTPONED = "postponed"
    DATE_MOVED = "date_moved"
    NO_LONGER_APPLIES = "no_longer_applies"
    GOAL_REACHED = "goal_reached"
    SUPERSEDED = "superseded"
    PAST_DEADLINE = "past_deadline"
    REFUSED = "refused"
    UNDELIVERED = "undelivered"
    NO_RECEIPT = "no_receipt"  # accepted, and nobody ever said that it arrived
    CANNOT_RENDER = "cannot_render"
    UNPROVABLE = "unprovable"
    IN_DOUBT = "in_doubt"  # may have gone out; stays on the row until its repeat has an outcome
    NO_ANSWER = "no_answer"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_HALTED = "provider_halted"
    OUTSIDE_HOURS = "outside_hours"
    RELEASED = "released"  # the worker ran out of time before its turn
    ESCALATED = "escalated"  # stands in for a critical message that was not delivered
