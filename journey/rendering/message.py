"""One message of a pathway in one locale, for one channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journey.domain.pathway import Channel
from journey.rendering.email import render_email, render_plain
from journey.rendering.templates import TemplateError, render_text

_SUFFIX = {Channel.SMS: "sms.txt", Channel.EMAIL: "email.md"}
_WHY = {
    "en": "You get this e-mail because {practice} looks after your procedure.\n"
    "Phone: {phone}. To stop these e-mails: {unsubscribe}"
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the patient will read. An SMS has neither subject nor html."""

    text: str
    subject: str = ""
    html: str = ""


def template_name(step: str, locale: str, channel: Channel) -> str:
    return f"{step}.{locale}.{_SUFFIX[channel]}"


def render_message(
    templates: Mapping[str, str],
    step: str,
    locale: str,
    channel: Channel,
    context: Mapping[str, Any],
    *,
    unsubscribe: str = "",
) -> Rendered:
    """Renders one message. Raises TemplateError, naming the template."""
    name = template_name(step, locale, channel)
    source = templates.get(name)
    if source is None:
        raise TemplateError(f"there is no template {name}", variable=name)
    try:
        if channel is Channel.SMS:
            return Rendered(" ".join(render_text(source, context).split()))
        site = context["site"]
        footer = _footer(site["name"], site["phone"], locale, unsubscribe)
        email = render_email(source, context, practice=site["name"], locale=locale, footer=footer)
        return Rendered(email.text, email.subject, email.html)
    except TemplateError as error:
        raise error.within(name) from error


def _footer(practice: str, phone: str, locale: str, unsubscribe: str) -> str:
    words = _WHY[locale.partition("-")[0]]
    return words.format(practice=practice, phone=phone, unsubscribe=unsubscribe or f"phone {phone}")


def render_written(
    subject: str, text: str, practice: str, phone: str, locale: str, unsubscribe: str = ""
) -> Rendered:
    """An e-mail in somebody's own words: no template, nothing in it means anything but itself."""
    email = render_plain(
        subject, text, practice=practice, locale=locale, footer=_footer(practice, phone, locale, unsubscribe)
    )
    return Rendered(email.text, email.subject, email.html)
