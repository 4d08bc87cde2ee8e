"""The words by which patients opt out, call off, agree and thank, as `triage` looks for them in a reply.

A reply is read as its words alone, in lower case, without accents and apostrophes ("can't" is cant), with one
blank between them; patterns see it with a blank at both ends. Law: any reasonable way of opting out counts
(47 CFR 64.1200(a)(10)), and what only sounds like it must not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def _all(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?<= )(?:{part})(?= )" for part in parts))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Whole replies: nothing but these words, at least one of the first set.
STOP = _words("stop stopall stopp stpo sotp unsubscribe unsub quit revoke optout parar alto")
AROUND_STOP = _words(
    "please pls plz now thanks thank you hi hello hey all any me my to the this these those it just ok "
    "already of sms text texts txt txts texting txting message messages messaging msg msgs sending getting "
    "receiving"
)
CANCEL = _words("cancel end")
AROUND_CANCEL = _words("please pls plz now thanks thank you hi hello all sms text texts message messages")
START = _words("start unstop resume subscribe")
HELP = _words("help info")
AROUND_HELP = _words("please me i need")
YES = _words("y ye yes yess yh yep yeh yeah yea yup aye confirm confirmed")
AROUND_YES = _words(
    "please thanks thank you i im am will ill be there coming come can and both is arranged escort have an "
    "the ok okay sure definitely of course see then hi hello it that my all set"
)
NO = _words("n no nope nah")
AROUND_NO = _words("sorry thanks thank you i im am not")
THANKS = _words(
    "ok okay k kk thanks thank thx ta cheers great perfect noted understood received got fine lovely "
    "brilliant 👍 👌 🙏 ❤ 😊 🙂 👏"
)
AROUND_THANKS = _words(
    "you it will do very much so many i all thats that is the for info information reminder hi hello good "
    "again a lot have your message text letting me know"
)
# Signs that change nothing beside words. Any other, such as tears, is for a person.
GLAD = _words("👍 👌 🙏 ❤ 😊 🙂 😀 😃 😄 😁 👏 ✅ ✔ ☺ 🥰 😘 💕 🎉 💪")

_TEXTS = r"(?:texts?|txts?|messages?|msgs?|sms|reminders)"
_THESE = r"(?:(?:all|any|more|of|the|these|this|those|your|my|text|with) )*"
_PLEASE = r"(?:(?<=^ )|please |pls |just )"  # "will it stop bothering me" is about a back
_END = r"(?= $)"
OPTS_OUT = _all(
    rf"opt(?:ing)? (?:me |us )?out(?! of (?!{_THESE}{_TEXTS} |this $|these $))",
    "unsubscribe",
    "no longer wish to receive",
    rf"take (?:me|us) off (?:(?:the|this|that|your|all|these) )+(?:list|{_TEXTS})(?! for)",
    rf"{_PLEASE}take (?:me|us) off(?: this)?{_END}",
    "get me off (?:this|your|the) list",
    rf"{_PLEASE}remove (?:me|us)(?: please)?{_END}",
    "remove (?:me|us) from",
    "(?:take|remove|delete|lose) (?:my|this) (?:name|details|(?:phone |mobile |cell )?number)",
    rf"{_PLEASE}leave (?:me|us) alone",
    rf"{_PLEASE}stop (?:bothering|spamming|harassing|pestering)",
    rf"no more {_TEXTS}",
    rf"no {_TEXTS} (?:please|pls|thanks)",
    rf"(?:stop|quit|discontinue|cancel) {_THESE}{_TEXTS}",
    rf"end (?:the |these |this |my |all )*{_TEXTS}",
    "(?:stop|quit) (?:texting|txting|messaging|msging|contacting)",
    rf"(?:stop|quit) sending(?: (?:me|us|my|this|these|them|it|so)|{_END})",
    rf"(?:stop|quit) (?:sending|receiving|getting) (?:me )?{_THESE}(?:{_TEXTS}|these|this|them)",
    rf"(?:dont|do not|never) (?:text|txt|message|msg|contact)"
    rf"(?: (?:me|us|him|her|my|this|again|anymore|any|it|here)|{_END})",
    rf"(?:dont|do not) send (?:me |us )?(?:any ?more|anything|{_THESE}{_TEXTS})",
    rf"(?:dont|do not) want (?:to (?:receive|get) )?{_THESE}{_TEXTS}",
    "(?:dont|do not) consent to (?:texts|being text)",
    "(?:revoke|withdraw) (?:my )?consent",
    "cease and desist",
    rf"(?:(?:can|could|will|would) you|(?:asked|told) you to) (?:please |pls )?stop{_END}",
    rf"(?<! it )(?<!pain )(?<!wont )please stop{_END}",
    "wrong (?:phone |mobile |cell )?(?:number|person)",
    "no me (?:manden?|envien?) mas",
)
# Right before such a phrase, they turn it round; so does somebody who tells what they themselves do not do.
_UNLESS = re.compile(
    " (?:dont|never|not|didnt|dont want you to|not want you to|mean to|did you|do you|have you|if i|if we|"
    "stop to|got|had) $"
)
_OWN_HABIT = re.compile(" (?:i|we|you|u|they|he|she) $")
_NEGATED = re.compile("(?:dont|do not|never) (?:text|txt|message|msg|contact)")
_OWN_MISTAKE = re.compile(
    " (?:meant|ignore|(?:i|ive|we) (?:\\w+ )?(?:gave|given|put|rang|called|dialled|dialed|typed|wrote|sent)) "
)
CALLS_OFF = _all(
    "cancel|cancle|cancelling|canceling|cancelled|canceled|postpone|rearrange",
    "resched(?:ule)?|reshedule|rescedule|reschudule|re schedule",
    "(?:another|different|other|new|later) (?:date|day|time slot)|later in the (?:month|year)",
    "(?:change|move|switch|swap) (?:the|my|this) (?:date|day|appointment|appt|procedure|operation|surgery)",
    "move it to",
    "(?:push|put|call) (?:it|this|that) (?:back|off)|(?:its|thats) off|(?:pull|pulling|back|backing) out",
    "(?:date|day) doesnt work",
    "(?:cant|cannot|can not|wont|will not|wont be able to|unable to|not able to|not be able to|not gonna|"
    "not going to) (?:come|make|attend|be (?:coming|there)|get there)",
    r"(?:cant|cannot) do (?:it|that|the|this|mon|tue|wed|thu|fri)\w*",
    "not coming|im not going|not going ahead|no longer (?:want|coming|going|able)|not going through with",
    "dont want (?:the|it|to go|to have)|not (?:doing|having) it|on holiday then",
    "changed my mind|second thoughts|decided (?:against|not to)",
    "covid|tested positive|(?:im|am|is) in (?:the )?hospital|admitted|funeral",
    "(?:has|he|she|mum|mom|dad) (?:died|passed)|passed away|deceased",
    "(?:no|not got a|havent got a|dont have a|cannot have) (?:ride|lift|escort|driver)",
    "(?:lift|ride) has fallen through",
    "(?:no one|nobody|noone) (?:can|to|who can) (?:stay|take|drive|pick)",
)
_TURNED_ROUND = re.compile(" (?:dont|never|not|didnt) $")
# A no with its reason, and what is asked without a question mark, or is not so yet.
BEGINS_WITH_NO = re.compile(
    " (?:n|no|nope|nah) (?:(?:i|im|my|we|sorry|not|cant|escort|one|he|she|unfortunately|because) |$)"
)
NOT_PLAIN = _all(
    "(?:can|do|am|will|is|have|has) (?:i|my|an|it|that|the|you)",
    "(?:to|not) be|be (?:arranged|confirmed)|(?:please|you|that|can) confirm(?:ed)?|you (?:got|received)",
    r"(?:got|have) (?:it|that|all)(?: \w+){0,3} again|(?:i|so) (?:do )?have (?:it|that|all)",
)
# A telephone that quotes our own text with a sign on it.
REACTION = re.compile(
    r"""\s*(?:(?P<liked>liked|loved|(?:reacted\s+)?[👍❤🙏👌]\W{0,3}\s*to)
        |disliked|emphasi[sz]ed|questioned|laughed\sat|reacted\s\S{1,9}\sto|removed\s.{1,30}\sfrom|\W{1,9}\sto)
        \s*[“"«][^”"»]*[”"»]\s*""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
# STOP in capitals, and more behind it without a full stop.
CRIES_STOP = re.compile(r"\W*STOP (?i:i|im|ive|we|who|this|you|your|please|no|not|sorry|dont|don.t|wrong)\b")
# Ordinary words that are one slip away from an urgent one.
THEIR_OWN = tuple(
    "several inject insect strike striking chilly chill overdo parallel partly peel weed wedding alleg "
    "breach sliver spoil inflection paused pasted passes feeding coping discharged trembl".split()
)


def opts_out(line: str) -> bool:
    """Whether a phrase in it says that texts are to stop."""
    for found in OPTS_OUT.finditer(line):
        before = line[: found.start()]
        own_habit = _NEGATED.match(found[0]) and _OWN_HABIT.search(before)
        own_mistake = found[0].startswith("wrong") and _OWN_MISTAKE.search(line)
        if not (_UNLESS.search(before) or own_habit or own_mistake):
            return True
    return False


def calls_off(line: str) -> bool:
    """Whether a phrase in it says that the patient does not come, or not on that date."""
    return any(not _TURNED_ROUND.search(line[: one.start()]) for one in CALLS_OFF.finditer(line))


def is_only(words: Iterable[str], wanted: frozenset[str], around: frozenset[str]) -> bool:
    """Whether the words are one of the wanted and nothing but words that change nothing."""
    said = list(words)
    return any(word in wanted for word in said) and all(word in wanted or word in around for word in said)
