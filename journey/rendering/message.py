"""One message of a pathway in one locale, for one channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from journey.domain.pathway import Channel
from journey.rendering.email import render_email
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
        footer = _WHY[locale.partition("-")[0]].format(
            practice=site["name"],
            phone=site["phone"],
            unsubscribe=unsubscribe or f"phone {site['phone']}",
        )
        email = render_email(source, context, practice=site["name"], locale=locale, footer=footer)
        return Rendered(email.text, email.subject, email.html)
    except TemplateError as error:
        raise error.within(name) from error
