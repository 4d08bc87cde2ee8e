"""Status callbacks that come early, doubled, backwards or in any order, while messages also get lost."""

import pytest
from sqlalchemy import select

from journey.domain.delivery import Status
from journey.store.schema import message_events
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.counting import assert_all_sent_once
from tests.faults.marks import ON_SQLITE_FIRST
from tests.faults.plant import Plant

MODES = ["in_order", "reversed", "shuffled", "doubled", "early"]
STATUSES = ["queued", "sent", "delivered"]
EACH = 12


@ON_SQLITE_FIRST
def test_receipts_in_any_order_end_in_delivered_and_change_nothing_twice(
    plant_on_both: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_both
    plant.start_engine(web=True)
    for number, mode in enumerate(MODES):
        fake_twilio.control(callbacks={"statuses": STATUSES, "delay": 0.02, "mode": mode})
        plant.enroll(EACH, first=number * EACH)
        settle_with_receipts(plant, fake_twilio)
    assert_all_sent_once(plant, fake_twilio, EACH * len(MODES))
    assert deliveries(plant) == EACH * len(MODES)


@pytest.mark.slow
def test_receipts_settle_what_crashes_left_unknown(plant_on_both: Plant, fake_twilio: FakeTwilio) -> None:
    plant = plant_on_both
    fake_twilio.control(lookup="down")  # so that nothing but the receipts can tell
    plant.start_engine(web=True, restart=True)
    for number, mode in enumerate(MODES):
        fake_twilio.control(
            callbacks={"statuses": STATUSES, "delay": 0.05, "mode": mode},
            rules=[{"when": {"every": 4}, "times": 0, "action": "hang_after"}],
        )
        plant.enroll(60, first=number * 60)
    settle_with_receipts(plant, fake_twilio)
    assert_all_sent_once(plant, fake_twilio, 60 * len(MODES))
    assert deliveries(plant) == 60 * len(MODES)
    assert plant.clinic.tasks() == []


def settle_with_receipts(plant: Plant, twilio: FakeTwilio) -> None:
    plant.settle()
    # An early receipt makes a message `accepted` while its later ones are still on their way.
    plant.until(lambda: {row.status for row in plant.rows()} == {Status.DELIVERED}, "all receipts")
    twilio.wait_for_callbacks(timeout=30.0)
    state = twilio.state()
    assert state["callbacks_failed"] == 0, state["callbacks_last_error"]


def deliveries(plant: Plant) -> int:
    query = select(message_events.c.id).where(message_events.c.event == "deliver")
    with plant.clinic.database.read() as tx:
        return len(tx.connection.execute(query).all())
