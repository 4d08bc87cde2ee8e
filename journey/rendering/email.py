"""An e-mail from its Markdown template: subject, HTML in the practice's layout, plain text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

import css_inline
from markdown_it import MarkdownIt
from markdown_it.token import Token

from journey.rendering.templates import TemplateError, render_markdown, render_text

_PREFIX = "Subject: "
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_CSS = """
body { margin: 0; background: #f3f5f7; color: #17212b; font: 16px/1.5 system-ui, Arial, sans-serif; }
.sheet { max-width: 560px; margin: 0 auto; padding: 24px; background: #ffffff; }
.practice { color: #0b5c8a; font-weight: bold; border-bottom: 2px solid #0b5c8a; padding-bottom: 8px; }
h1, h2, h3 { font-size: 18px; line-height: 1.3; margin: 24px 0 8px; }
a { color: #0b5c8a; }
.foot { color: #51606e; font-size: 14px; border-top: 1px solid #d4dbe1; margin-top: 24px; padding-top: 12px; }
"""


@dataclass(frozen=True, slots=True)
class Email:
    """A rendered e-mail. `html` is a whole document; `text` says the same in plain lines."""

    subject: str
    html: str
    text: str


@lru_cache(maxsize=512)
def split_source(source: str) -> tuple[str, str]:
    """Subject and body templates of a `.email.md` file. Raises TemplateError without a subject."""
    first, _, rest = source.partition("\n")
    if not first.startswith(_PREFIX) or not first[len(_PREFIX) :].strip():
        raise TemplateError(f'the first line must read "{_PREFIX}…"', 1)
    # The blank line keeps the line numbers of errors true to the file.
    return first[len(_PREFIX) :].strip(), "\n" + rest


def render_email(
    source: str, context: Mapping[str, Any], *, practice: str, locale: str, footer: str
) -> Email:
    """Renders a `.email.md` source. `footer` is plain text below the body (why, and how to stop)."""
    subject_source, body_source = split_source(source)
    subject = " ".join(render_text(subject_source, context).split())
    tokens = _MARKDOWN.parse(render_markdown(body_source, context))
    body = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    before, after = _layout(practice, locale, footer)
    html = before.replace("SUBJECT", escape(subject), 1) + _inline(body) + after
    return Email(subject, html, f"{to_text(tokens)}\n\n--\n{practice}\n{footer}\n")


def render_plain(subject: str, text: str, *, practice: str, locale: str, footer: str) -> Email:
    """The same frame around plain words: blank lines part paragraphs."""
    paragraphs = [escape(part).replace("\n", "<br>") for part in text.split("\n\n") if part.strip()]
    before, after = _layout(practice, locale, footer)
    body = _inline("".join(f"<p>{part}</p>" for part in paragraphs))
    html = before.replace("SUBJECT", escape(subject), 1) + body + after
    return Email(subject, html, f"{text}\n\n--\n{practice}\n{footer}\n")


@lru_cache(maxsize=512)
def _layout(practice: str, locale: str, footer: str) -> tuple[str, str]:
    """The frame around the body, inlined once per practice."""
    frame = (
        f'<!doctype html><html lang="{escape(locale)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>SUBJECT</title><style>{_CSS}</style></head><body>"
        f'<div class="sheet"><p class="practice">{escape(practice)}</p><hr id="body">'
        f'<p class="foot">{escape(footer).replace(chr(10), "<br>")}</p></div></body></html>'
    )
    before, after = css_inline.inline(frame).split('<hr id="body">')
    return before, after


def _inline(body: str) -> str:
    # Not cached: a body holds a patient's name, and memory should not keep it.
    return css_inline.inline_fragment(body, _CSS)


def to_text(tokens: list[Token]) -> str:
    """Markdown tokens as plain text: headings on their own line, bullets kept, links spelled out."""
    blocks: list[str] = []
    bullets = 0
    for token in tokens:
        if token.type == "list_item_open":
            bullets += 1
            marker = f"{token.info}. " if token.info else "- "
        elif token.type == "list_item_close":
            bullets -= 1
        elif token.type == "inline":
            text = _inline_text(token.children or [])
            lead = "  " * (bullets - 1) + marker if bullets else ""
            joined = "\n" if bullets and blocks and blocks[-1].lstrip().startswith("- ") else "\n\n"
            blocks.append((joined if blocks else "") + lead + text)
        elif token.type in ("code_block", "fence"):
            blocks.append(("\n\n" if blocks else "") + token.content.rstrip("\n"))
    return "".join(blocks)


def _inline_text(children: list[Token]) -> str:
    parts: list[str] = []
    targets: list[str] = []
    for child in children:
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n" if child.type == "hardbreak" else " ")
        elif child.type == "link_open":
            targets.append(str(child.attrs.get("href", "")))
        elif child.type == "link_close":
            target = targets.pop().removeprefix("mailto:").removeprefix("tel:")
            if not parts or target not in parts[-1]:
                parts.append(f" ({target})")
    return "".join(parts)
