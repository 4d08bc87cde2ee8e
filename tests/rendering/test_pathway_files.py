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
        ("fact: takes_glp1,", "fact: glp2,", None, "medicines-plan uses the unknown fact glp2; declare"),
        ("{ day: -5, time: \"18:00\" }", "{ day: -11, time: \"18:00\" }", None, "give a later day or time"),
        ("  - key: day-3", "  - key: day-1", 0, "two steps have the key day-1; give one of them another key"),
        ("    time: at once", "    time: at  once", 0, "write it as \"HH:MM\" in quotes"),
        ("    time: \"16:00\"", "    time: 16:00", 0, "960 is not a time of day; write it as \"HH:MM\""),
        ("    critical: true", "    critcal: true", 0, "there is no such field; check its spelling"),
        ("    title: Welcome\n", "", None, "title: is missing; add it"),
        ("    channels: [sms, email]", "    channels: [sms, fax]", 0, "sms"),
        ("    late: call", "    late: maybe", 0, "send"),
        ("    day: -1\n", "    day: 1\n", None, "a step after the procedure takes the anchor completion"),
        ("    type: choice\n", "    type: boolean\n", None, "choices exactly when its type is choice"),
        ("key: bvn-ablation", "key: other", None, "key is other; make it bvn-ablation, as the file"),
        ("stay: \"4h\"", "stay: 4", 0, "is not a duration; write it like"),
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


def test_a_tag_in_yaml_makes_no_objects(root: Path) -> None:
    edit(root, "    title: Welcome", "    title: !!python/object/apply:os.getcwd []")
    assert faults(root)[0].startswith(f"{KEY}.yaml:")


def test_a_missing_file_and_a_strange_encoding_are_refused(root: Path) -> None:
    assert faults(root, "nothing") == [f"nothing.yaml: there is no such file in {root / 'pathways'}"]
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
        ("day-1.en-GB.email.md", _append("\n\n{{ procedure.dat }}\n"), -1, "procedure.dat has no value"),
        ("day-1.en-GB.sms.txt", _append(" {{ facts.typo }}"), 1, "facts.typo has no value"),
        ("day-1.en-GB.sms.txt", _append(" {{ patient.given_name }}"), 1, "names stay out of texts"),
        ("day-1.en-GB.sms.txt", lambda _: "{{ fasting.food_until | clock }}", 1, "add needs: [arrival_time]"),
        ("day-1.en-GB.sms.txt", _append(" more" * 40), 1, "shorten it to 2"),
        ("day-1.en-GB.sms.txt", _append(" it’s"), 1, "more than halves what fits in a text"),
        ("day-1.en-GB.sms.txt", lambda _: "", 1, "renders to nothing; write the message"),
        ("day-1.en-GB.email.md", lambda old: old.replace("Subject: ", "Re: "), 1, "the first line must read"),
        ("day-1.en-GB.email.md", _append("\n{% for x in site %}{% endfor %}"), -1, "For is not allowed"),
        ("day-1.en-GB.email.md", _append("\n{{ site.name"), -1, "end of"),
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


def test_what_templates_quote_is_read_off_them(root: Path) -> None:
    quotes = {step.key: step.quotes.value for step in load_pathway(KEY, root).pathway.steps}
    assert quotes["welcome"] == "date"
    assert quotes["arrival-and-fasting"] == quotes["fasting-reminder"] == "arrival"
    assert quotes["day-1"] == "nothing"
