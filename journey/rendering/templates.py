"""The template language: Jinja2 cut down to text, `{{ dotted.name | filter }}` and `{% if %}`.

The parsed tree is checked against an allow-list, so there is nothing to bound at run time: no loops,
calls, macros, imports or arithmetic. Every fault is a TemplateError that names line and variable.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from journey.rendering.filters import FILTERS

MAX_SOURCE = 20_000
MAX_DEPTH = 20
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Filter,
    nodes.If,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Const,
)
_TAGS = {
    "For": "for", "Macro": "macro", "Import": "import", "FromImport": "from", "Include": "include",
    "Block": "block", "Extends": "extends", "Assign": "set", "AssignBlock": "set", "With": "with",
    "CallBlock": "call", "FilterBlock": "filter",
}  # fmt: skip
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_NOTHING = object()
_WHITE = re.compile(r"\s+")


class TemplateError(ValueError):
    """A template that cannot be used: what is wrong, on which line (1-based), with which variable."""

    def __init__(
        self, message: str, line: int | None = None, variable: str | None = None, *, file: str = ""
    ) -> None:
        places = [place for place in (file, f"line {line}" if line else "") if place]
        super().__init__(": ".join([*places, message]))
        self.message = message
        self.line = line
        self.variable = variable

    def within(self, file: str) -> TemplateError:
        """The same, saying which template it is."""
        return TemplateError(self.message, self.line, self.variable, file=file)


_SPECIAL = frozenset({"self", "super", "caller", "varargs", "kwargs", "loop"})


class _Environment(ImmutableSandboxedEnvironment):
    """Parts of a mapping are its keys only: never a method that happens to have that name."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


class _Empty(ValueError):
    """A blank in a message is a sentence that says something else, so it is a fault."""


def _plain(value: Any) -> str:
    if value is None:
        raise _Empty
    if isinstance(value, StrictUndefined):
        return str(value)  # raises the error that names the variable
    if callable(value) or (isinstance(value, Iterable) and not isinstance(value, str)):
        raise ValueError("a name stands here that is no single value; name one of its parts")
    return str(value)


def escape_markdown(value: Any) -> str:
    """A value as Markdown text: every ASCII punctuation mark escaped, white space folded."""
    return _PUNCTUATION.sub(r"\\\1", _WHITE.sub(" ", _plain(value)).strip())


def _environment(finalize: Callable[[Any], str]) -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined, finalize=finalize, autoescape=False, keep_trailing_newline=True
    )
    environment.globals.clear()
    environment.tests.clear()
    environment.filters = dict(FILTERS)
    return environment


_PLAIN = _environment(_plain)
_MARKDOWN = _environment(escape_markdown)


def render_text(source: str, context: Mapping[str, Any]) -> str:
    """Renders a template with plain values. Raises TemplateError for any fault in it."""
    return _render(source, context, markdown=False)


def render_markdown(source: str, context: Mapping[str, Any]) -> str:
    """The same for a Markdown source: values are escaped, so that they stay text."""
    return _render(source, context, markdown=True)


def _render(source: str, context: Mapping[str, Any], *, markdown: bool) -> str:
    template = _compile(source, markdown)
    try:
        return template.render(context)
    except UndefinedError as error:
        name = _undefined_name(source, context)
        said = f"there is no {name}{_instead(name, context)}" if name else "a variable has no value"
        raise TemplateError(said, _line_of(source, name), name) from error
    except _Empty as error:
        line = _failing_line(error)
        name = _empty_name(source, context, line)
        said = f"{name} is empty here; put {{% if {name} %}} around it" if name else "a variable is empty"
        if name and name.startswith("facts."):
            said += ", or give the fact a default"
        raise TemplateError(said, line, name) from error
    except (SecurityError, TypeError, ValueError, AttributeError) as error:
        raise TemplateError(f"cannot be rendered: {error}", _failing_line(error)) from error


def _failing_line(error: BaseException) -> int | None:
    """The template's own line in the traceback, which Jinja writes into it."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == "<template>"), None)


def _instead(name: str, context: Mapping[str, Any]) -> str:
    """The names beside an unknown one."""
    value: Any = context
    for part in name.split(".")[:-1]:
        value = value.get(part) if isinstance(value, Mapping) else None
    known = sorted(value) if isinstance(value, Mapping) else sorted(context)
    return f"; there are: {', '.join(known)}" if known else ""


def _empty_name(source: str, context: Mapping[str, Any], line: int | None) -> str | None:
    """The name that is written out on that line and has no value."""
    for output in check_template(source).find_all(nodes.Output):
        for node in output.nodes:
            if isinstance(node, nodes.Name | nodes.Getattr) and line in (None, node.lineno):
                name = _dotted(node)
                if _value_of(context, name) is None:
                    return name
    return None


@lru_cache(maxsize=2048)
def _compile(source: str, markdown: bool) -> Template:
    check_template(source)
    return (_MARKDOWN if markdown else _PLAIN).from_string(source)


@lru_cache(maxsize=2048)
def check_template(source: str) -> nodes.Template:
    """Parses a template and refuses whatever is not in the allow-list."""
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"has {len(source)} characters; at most {MAX_SOURCE} are allowed")
    try:
        tree = _PLAIN.parse(source)
        _check(tree, 0, 1)
    except TemplateSyntaxError as error:
        raise TemplateError(_read_syntax(error.message or "cannot be read"), error.lineno) from error
    except TemplateError:
        raise
    except ValueError as error:  # a number with thousands of digits
        raise TemplateError("holds a number that cannot be read") from error
    except RecursionError as error:
        raise TemplateError(f"is nested more than {MAX_DEPTH} deep") from error
    return tree


def _read_syntax(said: str) -> str:
    if "'endif'" in said and "end of template" in said.lower():
        return "an {% if %} is not closed; add {% endif %}"
    return said


def _check(node: nodes.Node, depth: int, line: int) -> None:
    line = _own_line(node) or line
    if depth > MAX_DEPTH * 2:
        raise TemplateError(f"is nested more than {MAX_DEPTH} deep", line)
    if not isinstance(node, _ALLOWED):
        raise TemplateError(
            f"{_as_written(node)} is not allowed here; templates hold text, "
            "{{ names | filters }} and {% if %} only",
            line,
        )
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        raise TemplateError(f"{node.attr} is private", line, node.attr)
    if isinstance(node, nodes.Getattr) and not isinstance(node.node, nodes.Name | nodes.Getattr):
        raise TemplateError("only names have parts", line)
    if isinstance(node, nodes.Compare) and any(op.op not in ("eq", "ne") for op in node.ops):
        raise TemplateError("only == and != compare values here", line)
    if isinstance(node, nodes.Const) and not isinstance(node.value, str | bool):
        raise TemplateError("only texts in quotes, true and false stand for themselves", line)
    if isinstance(node, nodes.Name) and node.name in _SPECIAL:
        raise TemplateError(f"{node.name} is no variable", line, node.name)
    if isinstance(node, nodes.Filter):
        _check_filter(node)
    for child in node.iter_child_nodes():
        _check(child, depth + 1, line)


def _as_written(node: nodes.Node) -> str:
    name = type(node).__name__
    return f"{{% {_TAGS[name]} %}}" if name in _TAGS else name


def _own_line(node: nodes.Node) -> int | None:
    """A node's line; a few kinds have none of their own and take that of what they hold."""
    return getattr(node, "lineno", None) or next(
        (child.lineno for child in node.find_all(nodes.Node) if child.lineno), None
    )


def _check_filter(node: nodes.Filter) -> None:
    if node.name not in FILTERS:
        raise TemplateError(
            f"there is no filter {node.name}; use one of {', '.join(sorted(FILTERS))}",
            node.lineno,
            node.name,
        )
    if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise TemplateError(f"the filter {node.name} takes no arguments", node.lineno, node.name)


def comparisons(source: str) -> list[tuple[str, str | bool, int]]:
    """Each name that is compared with a fixed value: the name, the value and the line."""
    found = []
    for node in check_template(source).find_all(nodes.Compare):
        sides = [node.expr, *(operand.expr for operand in node.ops)]
        names = [_dotted(side) for side in sides if isinstance(side, nodes.Getattr)]
        values = [side.value for side in sides if isinstance(side, nodes.Const)]
        found += [(name, value, node.lineno) for name in names for value in values]
    return found


@lru_cache(maxsize=2048)
def variables(source: str) -> frozenset[str]:
    """The dotted names a template mentions, such as {"patient.given_name"}."""
    tree = check_template(source)
    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    outermost = [node for node in tree.find_all((nodes.Getattr, nodes.Name)) if id(node) not in inner]
    return frozenset(_dotted(node) for node in outermost)


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{_dotted(node.node)}.{node.attr}"
    assert isinstance(node, nodes.Name)
    return node.name


def _undefined_name(source: str, context: Mapping[str, Any]) -> str | None:
    """The first mentioned name without a value: Jinja's own error gives only its last part."""
    for name in sorted(variables(source)):
        if not has_value(context, name):
            return name
    return None


def has_value(context: Mapping[str, Any], name: str) -> bool:
    return _value_of(context, name) is not _NOTHING


def _value_of(context: Mapping[str, Any], name: str) -> Any:
    value: Any = context
    for part in name.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif not isinstance(value, Mapping) and hasattr(value, part):
            value = getattr(value, part)
        else:
            return _NOTHING
    return value


def _line_of(source: str, name: str | None) -> int | None:
    if name is None:
        return None
    mentions = check_template(source).find_all((nodes.Getattr, nodes.Name))
    return next((node.lineno for node in mentions if _dotted(node) == name), None)
