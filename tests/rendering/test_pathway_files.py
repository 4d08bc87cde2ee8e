"""A pathway file that is wrong is refused with file, line and the mend; nothing of it is used."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from journey.services.pathway_files import BUILT_IN, PathwayFileError, built_in_pathways, load_pathway

KEY = "bvn-ablation"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the built-in pathway that a test may spoil."""
    shutil.copytree(BUILT_IN / "pathways", tmp_path / "pathways")
    shutil.copytree(BUILT_IN / "messages", tmp_path / "messages")
    return tmp_path


def faults(root: Path, key: str = KEY) -> list[str]:
    with pytest.raises(PathwayFileError) as error:
        load_pathway(key, root)
    return error.value.faults


def edit(root: Path, old: str, new: str) -> int:
    """Replaces one passage of the pathway file; returns the line (1-based) it starts on."""
    path = root / "pathways" / f"{KEY}.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def template(root: Path, name: str) -> Path:
    return root / "messages" / KEY / name


def test_the_built_in_pathways_are_right() -> None:
    for key in built_in_pathways():
        assert load_pathway(key).pathway.key == key


@pytest.mark.parametrize(
    ("old", "new", "offset", "mend"),
    [
        ("fact: takes_glp1,", "fact: glp2,", None, "medicines-plan (if) uses the unknown fact glp2; declare"),
        ("{ day: -5, time: \"18:00\" }", "{ day: -11, time: \"18:00\" }", None, "give a later day or time"),
        ("  - key: day-3", "  - key: day-1", 0, "two steps have the key day-1; give one of them another key"),
        ("    time: at once", "    time: at  once", 0, "write it as \"HH:MM\""),
        ("    time: \"16:00\"", "    time: 16:00", 0, "960 is not a time of day; put it in quotes"),
        ("    critical: true", "    critcal: true", 0, "there is no such field; did you mean critical?"),
        ("    title: Welcome\n", "", None, "title: is missing; add it"),
        ("    channels: [sms, email]", "    channels: [sms, fax]", 0, "sms"),
        ("    late: call", "    late: maybe", 0, "send"),
        ("    day: -1\n", "    day: 1\n", None, "a step after the procedure takes the anchor completion"),
        ("    type: choice\n", "    type: boolean\n", None, "choices exactly when its type is choice"),
        ("key: bvn-ablation", "key: other", None, "key is other; make it bvn-ablation, as the file"),
        ("stay: \"4h\"", "stay: 4", 0, "is not a duration; write it like"),
        ("    late: call", "    late: call\n    late: skip", 1, "late stands twice here; keep one"),
        ("    time: \"10:00\"", "    time: \"22:00\"", 0, "nothing is ever sent at 22:00; choose"),
        ("    time: \"16:00\"", "    time: arrival - 3h", 0, "or as arrival-2h without spaces"),
        ("needs: [arrival_time]", "needs: arrival_time", 0, "must be a list; write [one, two]"),
        ("  - key: day-3", "  - key: Day_3", 0, "must be lower case words; write day-3"),
        ("{ day: -5, time: \"18:00\" }", "tomorrow", 0, "send_by: write it like { day: -1"),
        ("    title: Welcome\n", "    title: yes\n", 0, "put true in quotes"),
        ("    critical: true", "    critical: maybe", 0, "must be true or false"),
        ("    day: -1\n", "    day: soon\n", 0, "must be a whole number of days"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused_with_its_line_and_mend(
    root: Path, old: str, new: str, offset: int | None, mend: str
) -> None:
    line = edit(root, old, new)
    (fault,) = faults(root)
    file, number, said = fault.split(":", 2)
    assert file == f"{KEY}.yaml"
    assert mend in said
    step = _step_lines(root, line)
    assert int(number) in step, fault
    if offset is not None:
        assert int(number) == line + offset, fault


def _step_lines(root: Path, line: int) -> range:
    """The lines of the list item around a line; for a line outside of any, a few on both sides."""
    lines = (root / "pathways" / f"{KEY}.yaml").read_text(encoding="utf-8").splitlines()
    starts = [number for number, text in enumerate(lines, 1) if text.startswith("  - key:")]
    before = [start for start in starts if start <= line]
    after = [start for start in starts if start > line]
    if not before:
        return range(1, line + 3)
    return range(before[-1], (after[0] if after else len(lines)) + 1)


def test_every_fault_is_said_at_once(root: Path) -> None:
    edit(root, "    late: call", "    late: maybe")
    edit(root, "    critical: true", "    critcal: true")
    assert len(faults(root)) == 2


def test_yaml_that_cannot_be_read_names_its_line(root: Path) -> None:
    line = edit(root, "    title: Welcome", "    title: [Welcome")
    (fault,) = faults(root)
    assert fault.startswith(f"{KEY}.yaml:")
    assert abs(int(fault.split(":")[1]) - line) <= 1


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b", "null", "steps: 3", "{}"])
def test_a_file_that_is_no_pathway_is_refused_in_words(root: Path, text: str) -> None:
    (root / "pathways" / f"{KEY}.yaml").write_text(text, encoding="utf-8")
    for fault in faults(root):
        assert fault.startswith(f"{KEY}.yaml:")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    title: Welcome", "\ttitle: Welcome", "a tab stands here; indent with spaces"),
        ("    title: Welcome", "    title: Wel: come", "a second colon stands here; put the text in quotes"),
    ],
)
def test_yaml_that_cannot_be_read_is_explained(root: Path, old: str, new: str, said: str) -> None:
    line = edit(root, old, new)
    assert faults(root) == [f"{KEY}.yaml:{line}: {said}"]


def test_a_place_is_named_as_people_count(root: Path) -> None:
    edit(root, "    late: call", "    late: maybe")
    assert "step fasting-reminder, late: 'maybe' must be one of: 'send', 'skip', 'call'" in faults(root)[0]


def test_deep_yaml_is_refused_in_words(root: Path) -> None:
    (root / "pathways" / f"{KEY}.yaml").write_text("[" * 3000, encoding="utf-8")
    assert "nested too deeply" in faults(root)[0]


def _extra(fields: str) -> str:
    return f"steps:\n  - {{ key: extra, title: X, anchor: procedure, day: 0, {fields} }}\n"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('channels: [email, sms], critical: true, time: "10:00"', "a critical step lists sms first"),
        ('channels: [sms], escalate_after: "1h", time: "10:00"', "only a critical step escalates"),
        ("channels: [sms], time: arrival+30m", "arrival+30m is no preparation any more; use the anchor"),
    ],
)
def test_a_step_that_would_never_do_what_it_says_is_refused(root: Path, fields: str, said: str) -> None:
    line = edit(root, "steps:\n", _extra(fields))
    (fault,) = faults(root)
    assert fault.startswith(f"{KEY}.yaml:{line + 1}: step extra, ")
    assert said in fault


def test_a_tag_in_yaml_makes_no_objects(root: Path) -> None:
    edit(root, "    title: Welcome", "    title: !!python/object/apply:os.getcwd []")
    assert faults(root)[0].startswith(f"{KEY}.yaml:")


def test_a_missing_file_and_a_strange_encoding_are_refused(root: Path) -> None:
    (fault,) = faults(root, "nothing")
    assert f"nothing.yaml: there is no such file in {root / 'pathways'}; give the pathway's key" in fault
    template(root, "welcome.en-GB.sms.txt").write_bytes(b"caf\xe9")
    assert faults(root) == ["welcome.en-GB.sms.txt: is not UTF-8 text (invalid continuation byte)"] or (
        faults(root)[0].startswith("welcome.en-GB.sms.txt: is not UTF-8 text")
    )
    (root / "pathways" / f"{KEY}.yaml").write_bytes(b"\xff\xfe")
    assert faults(root)[0].startswith(f"{KEY}.yaml: is not UTF-8 text")


def _append(text: str) -> Callable[[str], str]:
    return lambda old: old.rstrip("\n") + text


@pytest.mark.parametrize(
    ("name", "change", "line", "mend"),
    [
        ("day-1.en-GB.email.md", _append("\n\n{{ procedure.dat }}\n"), -1, "no procedure.dat; there are"),
        ("day-1.en-GB.sms.txt", _append(" {{ facts.typo }}"), 1, "no facts.typo; there are"),
        ("day-1.en-GB.sms.txt", _append(" {{ patient.given_name }}"), 1, "names stay out of texts"),
        ("day-1.en-GB.sms.txt", lambda _: "{{ fasting.food_until | clock }}", 1, "add needs: [arrival_time]"),
        ("day-1.en-GB.sms.txt", _append(" more" * 40), 1, "shorten it to 2"),
        ("day-1.en-GB.sms.txt", _append(" it’s"), 1, "more than halves what fits in a text"),
        ("day-1.en-GB.sms.txt", lambda _: "", 1, "renders to nothing; write the message"),
        ("day-1.en-GB.email.md", lambda old: old.replace("Subject: ", "Re: "), 1, "the first line must read"),
        ("day-1.en-GB.email.md", _append("\n{% for x in site %}{% endfor %}"), -1, "{% for %} is not"),
        ("day-1.en-GB.email.md", _append("\n{{ site.name"), -1, "end of"),
        ("day-1.en-GB.email.md", _append("\n{% if facts.diabetic %}x"), -1, "an {% if %} is not closed"),
        ("day-1.en-GB.email.md", _append("\n\n{{ facts.sedation_kind }}"), -1, "no facts.sedation_kind"),
        ("day-1.en-GB.email.md", _append("\n\n{{ procedure.date | clock }}"), -1, "does not fit a date"),
        ("day-1.en-GB.email.md", _append("\n\nAt {{ procedure.arrival_time }}."), -1, "is empty here; put"),
        (
            "day-1.en-GB.email.md",
            _append("\n\n{% if facts.anesthesia == 'genral' %}x{% endif %}"),
            -1,
            "facts.anesthesia is never 'genral'; it can be: ",
        ),
        ("day-1.en-GB.email.md", _append("\n{{ site.name | nope }}"), -1, "there is no filter nope"),
    ],
)  # fmt: skip
def test_a_wrong_template_is_refused_with_its_line_and_mend(
    root: Path, name: str, change: Callable[[str], str], line: int, mend: str
) -> None:
    path = template(root, name)
    text = change(path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    expected = line if line > 0 else text.rstrip("\n").count("\n") + 1
    found = faults(root)
    assert len(found) == 1, found
    assert found[0].startswith(f"{name}:{expected}: "), found
    assert mend in found[0]


def test_a_missing_and_a_stray_template_are_refused(root: Path) -> None:
    template(root, "day-1.en-US.sms.txt").rename(template(root, "day-1.en-UK.sms.txt"))
    assert faults(root) == [
        "day-1.en-US.sms.txt: is missing; write it in messages/bvn-ablation/",
        "day-1.en-UK.sms.txt: belongs to no step of bvn-ablation; rename or remove it",
    ]


def test_files_that_systems_leave_behind_do_no_harm_and_folders_are_named(root: Path) -> None:
    template(root, ".DS_Store").write_bytes(b"\x00\xff")
    welcome = template(root, "welcome.en-GB.sms.txt")
    welcome.write_bytes(b"\xef\xbb\xbf" + welcome.read_bytes())
    load_pathway(KEY, root)
    template(root, "README").write_text("notes", encoding="utf-8")
    assert faults(root) == ["README: belongs to no step of bvn-ablation; rename or remove it"]
    template(root, "README").unlink()
    template(root, "old.d").mkdir()
    assert faults(root) == ["old.d: is a folder; move it elsewhere"]


def test_a_locale_without_any_template_is_one_fault(root: Path) -> None:
    for path in (root / "messages" / KEY).glob("*.en-US.*"):
        path.unlink()
    (fault,) = faults(root)
    assert "has no en-US templates; write all" in fault
    shutil.rmtree(root / "messages" / KEY)
    assert "there is no such folder" in faults(root)[0]


def test_a_fact_without_a_default_must_be_tested_for_before_it_is_written_out(root: Path) -> None:
    edit(root, "facts:\n", "facts:\n  - key: kit\n    label: Kit\n    type: choice\n    choices: [a, b]\n")
    path = template(root, "day-1.en-GB.email.md")
    path.write_text(path.read_text("utf-8") + "\nYour kit: {{ facts.kit }}.\n", encoding="utf-8")
    assert (
        "facts.kit is empty here; put {% if facts.kit %} around it, or give the fact a default"
        in faults(root)[0]
    )


def test_what_templates_quote_is_read_off_them(root: Path) -> None:
    quotes = {step.key: step.quotes.value for step in load_pathway(KEY, root).pathway.steps}
    assert quotes["welcome"] == "date"
    assert quotes["arrival-and-fasting"] == quotes["fasting-reminder"] == "arrival"
    assert quotes["day-1"] == "nothing"
