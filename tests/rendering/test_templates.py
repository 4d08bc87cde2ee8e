"""The template language: what it allows, what it refuses and with which line, and that values stay text."""

from __future__ import annotations

from datetime import date, datetime, time
from html import unescape
from re import sub

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.strategies  # noqa: F401  (the stable profile)
from journey.rendering import TemplateError, render_text, variables
from journey.rendering.email import render_email
from journey.rendering.filters import LocalClock, LocalDate
from journey.rendering.templates import check_template, render_markdown

CONTEXT = {
    "site": {"name": "Spine Clinic", "phone": "020 7946 0000", "fasting_note": ""},
    "patient": {"given_name": "Anna"},
    "facts": {"diabetic": True, "anesthesia": "local", "none": None},
    "procedure": {"date": LocalDate(date(2026, 12, 15), "en-GB")},
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain 100% {text} # ok", "plain 100% {text} # ok"),
        ("Hello {{ patient.given_name }}!", "Hello Anna!"),
        ("{{ patient.given_name | upper }}", "ANNA"),
        ("{{ 'x' | upper | lower }}", "x"),
        ("{% if facts.diabetic %}yes{% endif %}", "yes"),
        ("{% if not facts.diabetic %}yes{% else %}no{% endif %}", "no"),
        ("{% if facts.anesthesia == 'general' %}a{% elif facts.anesthesia == 'local' %}b{% endif %}", "b"),
        ("{% if facts.anesthesia != 'local' %}a{% endif %}", ""),
        ("{% if facts.diabetic and facts.anesthesia == 'local' %}both{% endif %}", "both"),
        ("{% if site.fasting_note or facts.diabetic %}any{% endif %}", "any"),
        ("{# a comment #}x{% raw %}{{ y }}{% endraw %}", "x{{ y }}"),
        ("a\n{%- if facts.diabetic %} b{% endif %}\n", "a b\n"),
    ],
)
def test_text_names_filters_and_conditions_are_all_there_is(source: str, text: str) -> None:
    assert render_text(source, CONTEXT) == text


FORBIDDEN = {
    "loop": "{% for x in facts %}x{% endfor %}",
    "set": "{% set x = 1 %}",
    "block set": "{% set x %}y{% endset %}",
    "macro": "{% macro m() %}x{% endmacro %}",
    "call block": "{% call site.name() %}{% endcall %}",
    "include": "{% include 'x' %}",
    "import": "{% import 'x' as y %}",
    "from import": "{% from 'x' import y %}",
    "extends": "{% extends 'x' %}",
    "block": "{% block b %}{% endblock %}",
    "with": "{% with x = 1 %}{% endwith %}",
    "filter block": "{% filter upper %}x{% endfilter %}",
    "autoescape": "{% autoescape false %}x{% endautoescape %}",
    "do": "{% do site.name %}",
    "unknown tag": "{% debug %}",
    "call": "{{ site.name() }}",
    "method": "{{ site.name.upper() }}",
    "index": "{{ facts['diabetic'] }}",
    "slice": "{{ site.name[:2] }}",
    "sum": "{{ 1 + 1 }}",
    "product": "{{ 'x' * 9999999 }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "percent": "{{ '%s' % site }}",
    "minus": "{{ -1 }}",
    "concatenation": "{{ site.name ~ 'x' }}",
    "inline if": "{{ 'a' if facts.diabetic }}",
    "list": "{{ [1] }}",
    "tuple": "{{ (1, 2) }}",
    "dict": "{{ {'a': 1} }}",
    "greater": "{% if facts.diabetic > 1 %}x{% endif %}",
    "in": "{% if 'x' in site.name %}x{% endif %}",
    "test": "{% if site is defined %}x{% endif %}",
    "unknown filter": "{{ site.name | safe }}",
    "attr filter": "{{ site.name | attr('x') }}",
    "filter with arguments": "{{ site.name | upper(1) }}",
    "private part": "{{ site.__class__ }}",
    "private part deep": "{{ patient.given_name._x }}",
    "part of a text": "{{ 'x'.upper }}",
    "part of a filter": "{{ (site.name | upper).x }}",
    "unclosed": "{{ site.name",
    "unclosed if": "{% if facts.diabetic %}x",
    "stray end": "{% endif %}",
    "empty": "{{ }}",
    "assignment": "{{ x = 1 }}",
    "the template itself": "{{ self }}",
}


@pytest.mark.parametrize("source", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_anything_else_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(TemplateError) as error:
        check_template(f"first\nsecond {source}")
    assert error.value.line == 2
    assert str(error.value).startswith("line 2: ")


def test_deep_nesting_and_long_sources_are_refused() -> None:
    deep = "{% if facts.diabetic %}" * 60 + "x" + "{% endif %}" * 60
    for source in (deep, "{{ " + "(" * 5000 + "x" + ")" * 5000 + " }}", "{{ x" + ".y" * 300 + " }}"):
        with pytest.raises(TemplateError, match=r"nested more than|has \d+ characters"):
            check_template(source)
    with pytest.raises(TemplateError, match="at most 20000"):
        check_template("x" * 20_001)


_WORDS = (
    "{{ }} {% %} {# #} {%- -%} | . == != ( ) ' \" if elif else endif for in not and or is set raw endraw "
    "self site name patient facts x _ __class__ upper clock 1 0 1e999 99999999999999999999 0x 0b1 None true "
    "\\ \\x \\N{ ~ - + [ ] , : % é ²"
)
_tokens = st.sampled_from([*_WORDS.split(), " ", "\n", "\x00", chr(0xD800)])
_almost = st.lists(_tokens, max_size=25).map("".join)
_expressions = st.lists(_tokens, max_size=8).map(" ".join)


@settings(max_examples=800)
@given(
    st.one_of(
        _almost,
        st.text(max_size=80),
        _expressions.map(lambda inner: "{{ " + inner + " }}"),
        _expressions.map(lambda inner: "{% if " + inner + " %}x{% endif %}"),
    )
)
def test_whatever_is_typed_renders_or_is_a_template_error(source: str) -> None:
    for render in (render_text, render_markdown):
        try:
            render(source, CONTEXT)
        except TemplateError:
            continue


@pytest.mark.parametrize(
    "source",
    [
        "{{ " + "9" * 5000 + " }}",  # more digits than Python turns into a number
        "{% if facts.diabetic == 1e999 %}x{% endif %}",  # infinity has no name in compiled code
        "{{ site.phone.upper }}",  # a method is no value
        "{{ facts.keys }}",
        "{{ procedure.date | clock }}",
        "{{ site.phone | long_date }}",
        "{{ site | upper }}",
    ],
    ids=["digits", "infinity", "method", "dict method", "clock", "long date", "mapping"],
)
def test_what_cannot_be_written_in_words_is_a_template_error(source: str) -> None:
    with pytest.raises(TemplateError):
        render_text(source, CONTEXT)


@pytest.mark.parametrize(
    ("source", "variable", "line"),
    [
        ("{{ procedure.dat }}", "procedure.dat", 1),
        ("a\nb {{ nobody }}", "nobody", 2),
        ("a\n\n{{ patient.family_name | upper }}", "patient.family_name", 3),
        ("{% if facts.typo %}x{% endif %}", "facts.typo", 1),
        ("{% if facts.typo == 'x' %}x{% endif %}", "facts.typo", 1),
        ("Your age:\n{{ age }}", "age", 2),  # the word stands in the text above it, too
    ],
)
def test_an_unknown_name_is_an_error_that_says_which_and_where(source: str, variable: str, line: int) -> None:
    with pytest.raises(TemplateError, match=r"there is no .*; there are: ") as error:
        render_text(source, CONTEXT)
    assert (error.value.variable, error.value.line) == (variable, line)


def test_an_empty_value_is_an_error_and_never_a_blank() -> None:
    source = "{% if facts.none %}{{ facts.none }}{% endif %}ok"
    assert render_text(source, CONTEXT) == "ok"
    with pytest.raises(
        TemplateError, match=r"facts\.none is empty here; put .* give the fact a default"
    ) as error:
        render_text(f"{source}\n{{{{ facts.none }}}}", CONTEXT)
    assert (error.value.variable, error.value.line) == ("facts.none", 2)


def test_a_filter_that_does_not_fit_names_its_line_and_not_the_value() -> None:
    with pytest.raises(TemplateError, match="clock does not fit a date; it is for times") as error:
        render_text("a\n\n{{ procedure.date | clock }}", CONTEXT)
    assert error.value.line == 3


def test_a_templates_names_are_known_without_rendering_it() -> None:
    source = "{{ a.b.c | upper }}{% if d.e == 'x' or not f %}{{ g }}{% endif %}"
    assert variables(source) == {"a.b.c", "d.e", "f", "g"}


# Values that would mean something in Markdown, HTML or a header.
HOSTILE = [
    "**bold**", "_it_", "`code`", "[x](http://evil.example)", "![x](http://evil.example/i.png)",
    "<script>alert(1)</script>", "<b>x</b>", "<http://evil.example>", "http://evil.example",
    "# heading", "- item", "1. item", "> quote", "~~~", "***", "===", "&lt;b&gt;", "&#60;b&#62;",
    "a\n\n# b", "\\", "\\*x*", "{{ site.name }}", "{% if x %}", "| a | b |", "javascript:alert(1)", "a  \nb",
]  # fmt: skip


def _paragraph(value: str) -> str:
    email = render_email(
        "Subject: S\nDear {{ patient.given_name }} end",
        {"patient": {"given_name": value}},
        practice="P",
        locale="en-GB",
        footer="F",
    )
    body = email.html.partition('class="practice"')[2].partition("</p>")[2].rpartition('<p class="foot"')[0]
    return body.strip()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_text_in_an_email(value: str) -> None:
    body = _paragraph(value)
    assert sub(r' style="[^"]*"', "", body).startswith("<p>Dear ")
    assert body.count("<") == 2, body  # one paragraph, opened and closed: no markup from the value
    shown = unescape(sub("<[^>]*>", "", body))
    assert shown.split() == f"Dear {value} end".split()


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40))
def test_any_value_at_all_stays_text_in_an_email(value: str) -> None:
    assert _paragraph(value).count("<") == 2


def test_a_value_at_the_start_of_a_line_opens_no_heading_list_or_quote() -> None:
    for value in ("# x", "- x", "1. x", "> x", "    x", "+ x", "1) x"):
        html = render_email(
            "Subject: S\n\n{{ v }}\n", {"v": value}, practice="P", locale="en-GB", footer="F"
        ).html
        assert not {"<h1", "<ul", "<ol", "<blockquote", "<pre"} & {
            t for t in ("<h1", "<ul", "<ol", "<blockquote", "<pre") if t in html
        }


def test_an_email_has_a_one_line_subject_inlined_styles_and_a_plain_part() -> None:
    source = (
        "Subject: Hello {{ name }}\n\n## Before\n\n- **No food** after [six](https://x.example/a)\n- Water\n"
        "\n1. First\n2. Second\n\nCall [us](tel:020)."
    )
    email = render_email(
        source, {"name": "Anna\r\nBcc: x"}, practice="A & B <Clinic>", locale="en-GB", footer="Stop: 020"
    )
    assert email.subject == "Hello Anna Bcc: x"
    assert "<style" not in email.html
    assert "<h2 style=" in email.html
    assert "A &amp; B &lt;Clinic&gt;" in email.html
    assert '<html lang="en-GB"' in email.html
    for line in ("Before", "- No food after six (https://x.example/a)", "- Water", "1. First", "2. Second"):
        assert line in email.text.split("\n"), email.text
    assert "Call us (020)." in email.text
    assert email.text.endswith("--\nA & B <Clinic>\nStop: 020\n")
    assert "*" not in email.text


def test_nothing_in_the_body_is_missing_from_the_plain_part() -> None:
    source = "Subject: S\n\nText one.\n\n    Indented two.\n\n> Quoted three.\n\n```\nFenced four.\n```\n"
    text = render_email(source, {}, practice="P", locale="en-GB", footer="F").text
    for words in ("Text one.", "Indented two.", "Quoted three.", "Fenced four."):
        assert words in text


def test_raw_html_in_a_template_is_shown_and_not_obeyed() -> None:
    html = render_email(
        "Subject: S\n\n<script>x</script> and <b>y</b>", {}, practice="P", locale="en-GB", footer="F"
    ).html
    assert "<script" not in html
    assert "&lt;b&gt;y" in html


@pytest.mark.parametrize(
    "source", ["Hello", "", "Subject:\nx", "Subject: \nx", "subject: S\nx", "\nSubject: S"]
)
def test_an_email_without_a_subject_is_refused(source: str) -> None:
    with pytest.raises(TemplateError, match="line 1: the first line must read"):
        render_email(source, {}, practice="P", locale="en-GB", footer="F")


def test_the_line_of_an_error_in_an_email_is_the_files() -> None:
    with pytest.raises(TemplateError) as error:
        render_email("Subject: S\n\nthird\n{{ x() }}", {}, practice="P", locale="en-GB", footer="F")
    assert error.value.line == 4


@pytest.mark.parametrize(
    ("filters", "locale", "written"),
    [
        ("long_date", "en-GB", "Tuesday 15 December 2026"),
        ("long_date", "en-US", "Tuesday, December 15, 2026"),
        ("short_date", "en-GB", "Tue 15 Dec"),
        ("short_date", "en-US", "Tue, Dec 15"),
        ("short_date | upper", "en-GB", "TUE 15 DEC"),
    ],
)
def test_dates_are_written_as_the_country_does(filters: str, locale: str, written: str) -> None:
    context = {"d": LocalDate(date(2026, 12, 15), locale)}
    assert render_text("{{ d | " + filters + " }}", context) == written


@pytest.mark.parametrize(
    ("value", "locale", "written"),
    [
        (time(0, 5), "en-GB", "00:05"),
        (time(0, 5), "en-US", "12:05 AM"),
        (time(9, 0), "en-US", "9:00 AM"),
        (time(12, 0), "en-US", "12:00 PM"),
        (time(13, 30), "en-US", "1:30 PM"),
        (time(13, 30), "en-GB", "13:30"),
    ],
)
def test_times_are_written_as_the_country_does(value: time, locale: str, written: str) -> None:
    assert render_text("{{ t | clock }}", {"t": LocalClock(value, locale)}) == written


def test_a_fasting_time_names_its_day_since_it_may_be_the_evening_before() -> None:
    night = datetime(2026, 12, 14, 23, 30)  # noqa: DTZ001  (the clinic's clocks)
    assert render_text("{{ t | day_clock }}", {"t": LocalClock(night, "en-GB")}) == "Mon 14 Dec, 23:30"
    assert render_text("{{ t | day_clock }}", {"t": LocalClock(night, "en-US")}) == "Mon, Dec 14, 11:30 PM"
