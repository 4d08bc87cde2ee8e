"""Replies and slips as other systems see them."""

from __future__ import annotations

from tests.clinic import Clinic
from tests.services.test_replies import say
from tests.web.other import Other, patient


def test_replies_are_listed_without_their_words_and_read_one_by_one(clinic: Clinic, other: Other) -> None:
    made = other.post("/enrollments", patient()).json()
    say(clinic, "My leg is weak")
    say(clinic, "Who is this?", sender="+447700900999")
    page = other.get("/replies").json()
    assert "My leg" not in str(page)
    (one,) = other.get(f"/replies?enrollment={made['id']}").json()["items"]
    whole = other.get(f"/replies/{one['id']}").json()
    assert (whole["text"], whole["intent"], len(whole["red_flags"])) == ("My leg is weak", "other", 1)
    tasks = {task["id"]: task["kind"] for task in other.get("/tasks").json()["items"]}
    assert tasks[one["task"]] == "red_flag"
    assert [item["enrollment"] for item in page["items"]] == [made["id"], None]
    assert other.get("/replies/00000000-0000-7000-8000-000000000000").status_code == 404


def test_what_was_called_off_by_mistake_is_taken_back(other: Other) -> None:
    made = other.post("/enrollments", patient()).json()
    address = f"/enrollments/{made['id']}"
    assert other.post(f"{address}/take-back").status_code == 409
    other.post(f"{address}/cancel")
    assert other.post(f"{address}/take-back?dry_run=true").json()["status"] == "active"
    back = other.post(f"{address}/take-back").json()
    assert (back["status"], back["procedure_date"]) == ("active", made["procedure_date"])
    assert other.post(f"{address}/take-back").status_code == 409
    assert other.post("/enrollments/00000000-0000-7000-8000-000000000000/take-back").status_code == 404
