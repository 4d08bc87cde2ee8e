"""A clinic site's settings: its zone, hours and days, and the facts that its messages quote."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from journey.domain.calendar import Window, read_zone
from journey.domain.contact import LOCALES
from journey.domain.sms import GSM_7, measure
from journey.domain.steptime import Duration, WallTime


class Site(BaseModel):
    """Everything about a site that planning or a message needs. Times are local to the site."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(default="main", pattern=r"^[a-z][a-z0-9-]{0,39}$")
    name: str = Field(default="Spine Clinic", min_length=1, max_length=60)
    sms_name: str = Field(default="Spine Clinic", min_length=1, max_length=20)
    country: str = Field(default="GB", pattern=r"^[A-Z]{2}$")
    zone: str = "Europe/London"
    locale: str = "en-GB"
    phone: str = Field(default="020 7946 0000", max_length=17)
    address: str = Field(default="1 Example Street, London", max_length=120)
    office_hours: str = Field(default="Mon-Fri 9am-5pm", max_length=16)
    emergency_number: str = Field(default="999", max_length=5)
    emergency_place: str = Field(default="A&E", max_length=18)
    urgent_advice_number: str = Field(default="111", max_length=5)
    booking_url: str = Field(default="https://example.org/book", max_length=40)
    lifting_limit: str = Field(default="5 kg", max_length=5)
    activity_rest: str = Field(default="2 weeks", max_length=8)
    wound_care: str = Field(
        default="Keep the dressing clean and dry for two days.", min_length=1, max_length=200
    )
    fasting_note: str = Field(default="", max_length=200)
    food_before_arrival: Duration = timedelta(hours=6)
    fluids_before_arrival: Duration = timedelta(hours=2)
    opens: WallTime = time(8)
    closes: WallTime = time(20)
    staffed_from: WallTime = time(9)  # when somebody reads replies; `office_hours` says so to patients
    staffed_until: WallTime = time(17)
    open_weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    keeps_public_holidays: bool = True

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        return read_zone(name).key

    @field_validator("locale")
    @classmethod
    def _locale_is_known(cls, name: str) -> str:
        if name not in LOCALES:
            raise ValueError(f"{name} has no messages; use one of {', '.join(LOCALES)}")
        return name

    @field_validator("sms_name", "phone", "office_hours", "emergency_place", "booking_url", "lifting_limit")
    @classmethod
    def _fits_an_sms(cls, text: str) -> str:
        forced_by = measure(text).forced_by
        if measure(text).encoding != GSM_7:
            raise ValueError(f"{forced_by!r} would more than halve what fits in a text; replace it")
        return text

    @model_validator(mode="after")
    def _hours_are_allowed(self) -> Self:
        Window(read_zone(self.zone), self.opens, self.closes, frozenset(self.open_weekdays))
        if any(day not in range(7) for day in self.open_weekdays):
            raise ValueError("open_weekdays counts from 0 (Monday) to 6 (Sunday)")
        if self.staffed_from >= self.staffed_until:
            raise ValueError("staffed_from must be before staffed_until: somebody reads replies in between")
        if self.fluids_before_arrival > self.food_before_arrival:
            raise ValueError("fluids must be allowed at least as long as food")
        return self
