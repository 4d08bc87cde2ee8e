"""A provider that hangs, resets, answers garbage, is busy or breaks, before and after accepting."""

from tests.fakes.twilio_process import FakeTwilio
from tests.faults.counting import assert_all_sent_once
from tests.faults.marks import ON_POSTGRES_FIRST
from tests.faults.plant import Plant

FAULTS = [
    "hang_before",
    "hang_after",
    "reset_before",
    "reset_after",
    "garbage_before",
    "garbage_after",
    "429",
    "500_before",
    "500_after",
    "delay:0.3",
    "delay_after:2",
]


@ON_POSTGRES_FIRST
def test_no_fault_of_the_provider_loses_or_doubles_a_message(
    plant_on_both: Plant, fake_twilio: FakeTwilio
) -> None:
    plant = plant_on_both
    patients = plant.enroll(4 * len(FAULTS))
    rules = [
        {"when": {"to": who.phone}, "action": fault} for who, fault in zip(patients, FAULTS * 3, strict=False)
    ]
    fake_twilio.control(rules=rules)
    plant.start_engine()
    plant.settle()
    assert_all_sent_once(plant, fake_twilio, len(patients))
    hit = {event.get("action") for event in fake_twilio.events()}
    assert hit >= set(FAULTS)
