"""Messages that can never go out, among good ones: they get a reason, and nobody waits for them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from journey.domain.delivery import Reason, Status
from journey.store.schema import enrollments, messages, pathway_versions, patients
from tests.fakes.twilio_process import FakeTwilio
from tests.faults.counting import Tally, count
from tests.faults.plant import Patient, Plant

TEMPLATE = "welcome.en-GB.sms.txt"
GOOD = 40


def row_of(plant: Plant, patient: Patient, channel: str = "sms") -> Any:
    [row] = [
        row for row in plant.rows() if row.enrollment_id == patient.enrollment and row.channel == channel
    ]
    return row


def kinds(plant: Plant) -> set[str]:
    return {task["kind"] for task in plant.clinic.tasks()}


def assert_good_ones_go_out(plant: Plant, twilio: FakeTwilio) -> None:
    """Sent and recorded; what stays behind may wait for a person, with a reason."""
    plant.until(lambda: is_well(count(plant, twilio)), "the good ones going out")


def is_well(tally: Tally) -> bool:
    assert not tally.twice, tally
    return tally.is_sound and tally.sent == GOOD


def demand_a_fact(plant: Plant, fact: str) -> None:
    """The welcome now mentions a fact, which a patient may lack: no published content can do that."""
    with plant.clinic.database.write() as tx:
        content = dict(tx.connection.execute(select(pathway_versions.c.content)).scalar_one())
        content["templates"] = content["templates"] | {TEMPLATE: f"Hello {{{{ facts.{fact} }}}}."}
        tx.connection.execute(update(pathway_versions).values(content=content))


def set_facts(plant: Plant, facts: dict[str, str], besides: Patient) -> None:
    with plant.clinic.database.write() as tx:
        others = update(enrollments).where(enrollments.c.id != besides.enrollment)
        tx.connection.execute(others.values(facts=facts))


def test_a_text_that_cannot_be_written_and_a_number_that_does_not_work_hold_up_nobody(
    plant_on_postgres: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_postgres
    unwritable, *_ = plant.enroll(1)
    bad_number, *_ = plant.enroll(1, first=1, email="bad@example.org")
    plant.enroll(GOOD, first=2)
    demand_a_fact(plant, "nickname")
    set_facts(plant, {"nickname": "Pat"}, besides=unwritable)
    fake_twilio.control(rules=[{"when": {"to": bad_number.phone}, "action": "error:21211:400"}])
    plant.start_engine()
    plant.settle()
    assert_good_ones_go_out(plant, fake_twilio)
    row = row_of(plant, unwritable)
    assert (row.status, row.reason) == (Status.SKIPPED, Reason.CANNOT_RENDER)
    row = row_of(plant, bad_number)
    assert (row.status, row.reason) == (Status.FAILED, Reason.BAD_ADDRESS)
    assert row_of(plant, bad_number, "email").status == Status.DELIVERED
    assert kinds(plant) == {"cannot_render", "bad_address"}


@pytest.mark.slow
def test_a_patient_whose_record_does_not_open_holds_up_nobody(
    plant_on_both: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_both
    unreadable, *_ = plant.enroll(1)
    plant.enroll(GOOD, first=1)
    with plant.clinic.database.write() as tx:
        owner = select(enrollments.c.patient_id).where(enrollments.c.id == unreadable.enrollment)
        damaged = update(patients).where(patients.c.id == owner.scalar_subquery())
        tx.connection.execute(damaged.values(sealed_person=b"damaged"))
    plant.start_engine()
    assert_good_ones_go_out(plant, fake_twilio)


@pytest.mark.slow
def test_a_lost_message_whose_content_does_not_open_holds_up_nobody(
    plant_on_both: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_both
    everyone = plant.enroll(GOOD + 1)
    rules = [{"when": {"to": one.phone}, "action": "hang_before"} for one in everyone[:10]]
    fake_twilio.control(rules=rules, lookup="down")
    plant.start_engine()
    plant.until(lambda: asked(plant) == 10, "ten questions")
    with plant.clinic.database.write() as tx:
        mine = update(messages).where(messages.c.id == row_of(plant, everyone[0]).id)
        tx.connection.execute(mine.values(sealed_content=b"damaged"))
    fake_twilio.control(lookup="ok")
    assert_good_ones_go_out(plant, fake_twilio)


def asked(plant: Plant) -> int:
    return sum(row.reason == Reason.UNPROVABLE for row in plant.rows())
