"""What replies mean: plain words act, everything else is for a person, and urgent words are never missed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journey.domain.phrases import REACTION
from journey.domain.triage import Intent, RedFlag, triage
from journey.services.pathway_files import load_built_in

FLAGS = load_built_in("bvn-ablation").pathway.replies.red_flags
PLAIN = {
    Intent.STOP: [
        "STOP", "stop", " Stop. ", "STOP PLEASE", "please stop", "Stop all texts", "STOPALL",
        "unsubscribe", "stopp", "Unsubscribe me please", "quit", "Revoke", "stop sending me messages",
        "stop it now", "ok stop", "stop txting me", "stop texting me",
    ],
    Intent.CANCEL: ["CANCEL", "cancel please", "End", "end."],
    Intent.START: ["START", "start please", "UNSTOP", "resume texts"],
    Intent.HELP: ["HELP", "info", "help me", "please help", "I need help", "help?"],
    Intent.YES: [
        "Y", "y.", "YES", "Yes please", "yes I will be there", "Yes, I'm coming",
        "yes and an escort is arranged", "Confirmed", "I confirm", "yep thanks", "yeah ok", "Yes 👍",
        "yess", "Aye",
    ],
    Intent.NO: ["N", "no", "No sorry", "nope"],
    Intent.THANKS: [
        "ok", "OK thanks", "thank you very much", "👍", "👍🏽", "🙏🙏", "Great, will do",
        "Loved “Call 999, do not text.”", "Thanks for letting me know ❤️",
    ],
}  # fmt: skip
FOR_A_PERSON = [
    "", " ", "7", "...", "Can I stop my aspirin?", "I can't stop coughing", "don't stop texting me",
    "When does the nerve start to heal", "yes?", "yes but my escort is ill", "ok?", "not ok", "thanks but",
    "Is there any info on parking", "y tho", "What helps", "ends meet", "🤢", "ok 😭", "Fine 🙄",
    "Start it now?", "resume it now?", "start?", "stop it all?", "Stop this now?",
    "Stop all, or just the warfarin?", "Can you please confirm", "Please confirm", "To be confirmed",
    "My escort is to be confirmed", "Will that be confirmed", "Yes escort to be arranged",
    "yes can my escort come", "Yes is that ok", "I got it again", "Ok I have that", "thank you is that it",
    "have you got my message", "Disliked “Call 999, do not text.”",
    "Reacted 😮 to “Numb or weak legs? Call 999”",
    # What only sounds like opting out
    "When will you take me off my blood thinners?", "my GP said to take me off the warfarin",
    "Can I opt out of sedation?", "I rang the wrong number, what is yours?", "sorry wrong number meant 3",
    "Why did you stop texting me", "I don't want you to stop texting", "I do not text much, please phone",
    "I don't text while driving", "If you dont contact me by Friday I will ring",
    "so the nerve will stop sending pain signals", "I got no more texts after Monday",
    "Reply STOP to unsubscribe", "Do you remove my stitches", "I should stop sugar then",
]  # fmt: skip
CALLED_OFF = [
    "cancel my operation", "I need to cancel", "please could I have another date", "can't come tomorrow",
    "cannot make it", "I want to reschedule", "we must postpone", "I am not coming",
    "I don’t want the procedure", "no I'm not coming", "No, can't come", "won't make it",
    "unable to attend", "cancle", "need to resched", "can we move the date", "call it off",
    "I decided against it", "tested positive for covid", "no ride", "he passed away on Sunday",
    "I did not cancel last time but now I want to cancel", "cancel it please",
]  # fmt: skip
STOPPED_AND_MORE = [
    "please stop texting me, I have a question", "take me off this list", "Wrong number mate",
    "opt me out. who are you", "do not contact me again", "No more texts, call me instead", "opt-out",
    "STOP. Who gave you my number", "stop! I have moved away", "STOP I have moved away",
    "Not interested. STOP", "I revoke my consent", "Stop?", "can you please stop",
    "can you stop these texts", "please remove me", "dont send me any more",
    "you have the wrong phone number", "Stop - who is this", "I don't want to receive texts",
]  # fmt: skip
URGENT = [
    "my leg feels weak", "my left leg has been really weak since last night", "numb between my legs",
    "I can't feel my foot", "I can´t feel my legs", "I can not feel my foot", "couldn’t feel my toes",
    "I cant pee", "trouble peeing", "leaking urine", "I lost control of my bowels", "haven't peed since",
    "wet the bed", "I pooed myself", "fever of 39", "shivering and a temperature", "pus from the wound",
    "the wound is infected", "temp of 38.5", "burning up", "bad headache", "cant breathe",
    "short of breath", "chest pain", "I fainted", "wont stop bleeding", "it bled all night",
    "temprature is high", "infectoin", "my legs are TINGLING", "unbearable pain", "I want to die",
    "heart attack", "No fever but the redness is spreading", "STOP. I have chest pain",
    "my legs won't move", "leg gave out", "there is blood everywhere", "bad head ache",
    "wife wont wake up", "end it all", "unable to walk", "overdosed",
]  # fmt: skip
NOT_URGENT = [
    "ok thanks", "where do I park?", "I have never felt better", "what time do I arrive", "Y",
    "7 out of 10", "wrong number", "Can we move the date", "is there a hospital shuttle",
    "which blood thinner do you mean", "when was my injection", "I have several questions",
    "I might overdo it", "it is chilly", "train strike", "Feeling good, no pain", "when am I discharged",
    "full blood count", "allergic to penicillin",
    "Liked “Numb or weak legs, fever, chest pain? Call 999, do not text.”",
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
    reading = triage(text, FLAGS)
    assert reading.calls_off
    assert reading.intent not in (Intent.STOP, Intent.CANCEL, Intent.YES, Intent.THANKS)


@pytest.mark.parametrize("text", ["No, she is away", "No my husband is working", "N my daughter is away"])
def test_a_no_with_its_reason_is_a_no(text: str) -> None:
    assert triage(text, FLAGS).intent is Intent.NO


def test_a_quoted_text_does_not_hide_what_stands_beside_it() -> None:
    text = "Liked “Call 999 if numb” and yes my legs are numb since “this morning”"
    assert triage(text, FLAGS).red_flags


def test_who_wants_no_texts_and_does_not_come_is_heard_in_both() -> None:
    reading = triage("please stop texting me, I'm not coming", FLAGS)
    assert (reading.intent, reading.calls_off) == (Intent.STOP, True)


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
    text = f"{before} {urgent} {after}"
    assert triage(text, FLAGS).red_flags or REACTION.fullmatch(text)


@given(st.text(max_size=2000))
def test_any_text_is_read(text: str) -> None:
    reading = triage(text, FLAGS)
    assert reading == triage(text, FLAGS)
    if reading.intent is Intent.OTHER:
        assert not reading.is_plain


@pytest.mark.parametrize(
    "phrase",
    ["", "*", "a*", "leg *", "nu*mb", "leg,weak", " leg", "leg  weak", "a+", "+b", "señal", "can't pee"],
)
def test_a_phrase_that_no_reply_could_match_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        RedFlag(title="Something", words=(phrase,))
