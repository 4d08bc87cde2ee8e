"""What replies mean: plain words act, everything else is for a person, and urgent words are never missed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.domain.triage import Intent, RedFlag, triage
from journey.services.pathway_files import load_built_in

FLAGS = load_built_in("bvn-ablation").pathway.replies.red_flags
PLAIN = {
    Intent.STOP: [
        "STOP", "stop", " Stop. ", "STOP PLEASE", "please stop", "Stop all texts", "STOPALL", "unsubscribe",
        "Unsubscribe me please", "quit", "Revoke", "stop sending me messages", "stop it now",
    ],
    Intent.CANCEL: ["CANCEL", "cancel please", "End", "end."],
    Intent.START: ["START", "start please", "UNSTOP", "resume texts"],
    Intent.HELP: ["HELP", "info", "help me", "please help", "I need help"],
    Intent.YES: [
        "Y", "y.", "YES", "Yes please", "yes I will be there", "Yes, I'm coming",
        "yes and an escort is arranged", "Confirmed", "I confirm", "yep thanks", "yeah ok",
    ],
    Intent.NO: ["N", "no", "No sorry", "nope", "no I'm not coming", "No, can't come"],
    Intent.THANKS: ["ok", "OK thanks", "thank you very much", "👍", "👍🏽", "🙏🙏", "Great, will do"],
}  # fmt: skip
FOR_A_PERSON = [
    "", " ", "7", "...", "Can I stop my aspirin?", "I can't stop coughing", "don't stop texting me",
    "When does the nerve start to heal", "yes?", "yes but my escort is ill", "no pain at all", "ok?",
    "not ok", "thanks but no", "Is there any info on parking", "y tho", "What helps", "ends meet", "🤢",
]  # fmt: skip
CALLED_OFF = [
    "cancel my operation", "I need to cancel", "please could I have another date", "can't come tomorrow",
    "cannot make it", "I want to reschedule", "we must postpone", "I am not coming",
    "I don’t want the procedure",
]  # fmt: skip
STOPPED_AND_MORE = [
    "please stop texting me, I have a question", "take me off this list", "Wrong number mate",
    "opt me out. who are you?", "do not contact me again", "opt-out",
    "STOP. Who gave you my number", "stop! I have moved away", "No more texts, call me instead",
]  # fmt: skip
URGENT = [
    "my leg feels weak", "my left leg has been really weak since last night", "numb between my legs",
    "I can't feel my foot", "I cant pee", "trouble peeing", "leaking urine", "I lost control of my bowels",
    "fever of 39", "shivering and a temperature", "pus from the wound", "the wound is infected",
    "bad headache", "cant breathe", "short of breath", "chest pain", "I fainted", "wont stop bleeding",
    "temprature is high", "infectoin", "my legs are TINGLING", "unbearable pain", "I want to die",
    "No fever but the redness is spreading", "STOP. I have chest pain",
]  # fmt: skip
NOT_URGENT = [
    "ok thanks", "where do I park?", "I have never felt better", "what time do I arrive", "Y", "7 out of 10",
    "wrong number", "Can we move the date", "is there a hospital shuttle", "which blood thinner do you mean",
]  # fmt: skip


@pytest.mark.parametrize(("intent", "text"), [(i, text) for i, texts in PLAIN.items() for text in texts])
def test_plain_words_are_what_they_say(intent: Intent, text: str) -> None:
    reading = triage(text, FLAGS)
    assert (reading.intent, reading.is_plain) == (intent, True)


@pytest.mark.parametrize("text", FOR_A_PERSON)
def test_whatever_is_not_plain_is_for_a_person(text: str) -> None:
    assert triage(text, FLAGS).intent is Intent.OTHER


@pytest.mark.parametrize("text", CALLED_OFF)
def test_who_may_not_come_is_heard_and_texts_go_on(text: str) -> None:
    assert triage(text, FLAGS).intent is Intent.CALL_OFF


@pytest.mark.parametrize("text", STOPPED_AND_MORE)
def test_any_reasonable_way_of_opting_out_counts_and_the_rest_is_still_to_be_read(text: str) -> None:
    reading = triage(text, FLAGS)
    assert (reading.intent, reading.is_plain) == (Intent.STOP, False)


@pytest.mark.parametrize("text", URGENT)
def test_words_that_may_be_urgent_are_found(text: str) -> None:
    assert triage(text, FLAGS).red_flags


@pytest.mark.parametrize("text", NOT_URGENT)
def test_ordinary_words_are_not_urgent(text: str) -> None:
    assert not triage(text, FLAGS).red_flags


@given(st.text(max_size=300), st.sampled_from(URGENT), st.text(max_size=300))
def test_nothing_around_urgent_words_hides_them(before: str, urgent: str, after: str) -> None:
    assert triage(f"{before} {urgent} {after}", FLAGS).red_flags


@given(st.text(max_size=2000))
def test_any_text_is_read(text: str) -> None:
    reading = triage(text, FLAGS)
    assert reading == triage(text, FLAGS)
    if reading.intent is Intent.OTHER:
        assert not reading.is_plain


@pytest.mark.parametrize("phrase", ["", "*", "a*", "leg *", "nu*mb", "leg,weak", " leg", "leg  weak"])
def test_a_phrase_that_no_reply_could_match_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="must be words"):
        RedFlag(title="Something", words=(phrase,))
