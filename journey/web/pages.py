"""Our own pages: one Jinja environment, escaping on, an unknown variable is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from journey.web import words

_FOLDER = Path(__file__).parent.parent / "templates" / "pages"

_environment = Environment(
    loader=FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(
    day=words.say_day,
    short_day=words.say_short_day,
    clock=words.say_clock,
    count=words.count,
    place=words.say_zone,
    phone=words.say_phone,
    sentence=words.as_sentence,
    distance=words.say_distance,
    languages=words.as_languages,
    pairs=words.as_pairs,
)


def page(template: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Renders `templates/pages/<template>.html`."""
    html = _environment.get_template(f"{template}.html").render(values)
    return HTMLResponse(html, status_code=status)
