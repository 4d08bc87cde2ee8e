"""The transition table: what ends stays ended, and no event is nowhere defined."""

from itertools import product

import pytest

from journey.domain.delivery import (
    GONE_OUT,
    IN_FLIGHT,
    OPEN,
    TERMINAL,
    TRANSITIONS,
    Event,
    Status,
    next_status,
)

E, S = Event, Status

# The whole table once more, as a reader would draw it; an event that is not here changes nothing.
EXPECTED = {
    S.PLANNED: {
        E.HOLD: S.HELD,
        E.MOVE: S.PLANNED,
        E.CLAIM: S.SENDING,
        E.ASK_STAFF: S.UNKNOWN,
        E.SKIP: S.SKIPPED,
        E.EXPIRE: S.EXPIRED,
        E.CANCEL: S.CANCELLED,
    },
    S.HELD: {
        E.RELEASE: S.PLANNED,
        E.MOVE: S.HELD,
        E.HOLD: S.HELD,
        E.SKIP: S.SKIPPED,
        E.EXPIRE: S.EXPIRED,
        E.CANCEL: S.CANCELLED,
    },
    S.SENDING: {
        E.ACCEPT: S.ACCEPTED,
        E.REFUSE: S.FAILED,
        E.RETURN: S.PLANNED,
        E.LOSE: S.UNKNOWN,
        E.ASK_STAFF: S.UNKNOWN,
        E.EXPIRE: S.EXPIRED,
        E.DELIVER: S.DELIVERED,
        E.UNDELIVER: S.FAILED,
    },
    S.UNKNOWN: {
        E.ACCEPT: S.ACCEPTED,
        E.DELIVER: S.DELIVERED,
        E.UNDELIVER: S.FAILED,
        E.REFUSE: S.FAILED,
        E.SETTLE_ABSENT: S.PLANNED,
        E.REPEAT: S.PLANNED,
        E.ASK_STAFF: S.UNKNOWN,
        E.EXPIRE: S.EXPIRED,
        E.SKIP: S.SKIPPED,
    },
    S.ACCEPTED: {E.DELIVER: S.DELIVERED, E.UNDELIVER: S.FAILED},
}


@pytest.mark.parametrize(("status", "event"), list(product(Status, Event)))
def test_every_status_and_event_does_what_is_written_down(status: Status, event: Event) -> None:
    expected = EXPECTED.get(status, {}).get(event)
    allowed = {expected}
    if status in OPEN and event in (E.ACCEPT, E.DELIVER):
        # A receipt that overtakes a look-up may settle what went back into the plan: it did arrive.
        allowed |= {S.ACCEPTED, S.DELIVERED}
    assert next_status(status, event) in allowed


@pytest.mark.parametrize(("status", "event"), list(product(sorted(TERMINAL), Event)))
def test_what_has_ended_never_moves(status: Status, event: Event) -> None:
    assert next_status(status, event) is None


def test_every_status_is_of_one_kind_and_can_be_reached() -> None:
    kinds = [OPEN, IN_FLIGHT, frozenset({S.ACCEPTED}), TERMINAL]
    assert sorted(status for kind in kinds for status in kind) == sorted(Status)
    assert set(TRANSITIONS.values()) >= set(Status)
    assert GONE_OUT == {S.ACCEPTED, S.DELIVERED}


def test_only_a_planned_message_can_be_claimed() -> None:
    assert {status for status in Status if next_status(status, E.CLAIM)} == {S.PLANNED}


def test_nothing_that_may_have_gone_out_can_be_cancelled_or_claimed_again() -> None:
    for status in IN_FLIGHT | GONE_OUT:
        assert next_status(status, E.CANCEL) is None
        assert next_status(status, E.CLAIM) is None


def test_only_proof_or_a_harmless_repeat_brings_a_message_back_into_the_plan() -> None:
    back = {
        (status, event)
        for (status, event), after in TRANSITIONS.items()
        if after is S.PLANNED and status not in OPEN
    }
    assert back == {(S.SENDING, E.RETURN), (S.UNKNOWN, E.SETTLE_ABSENT), (S.UNKNOWN, E.REPEAT)}
