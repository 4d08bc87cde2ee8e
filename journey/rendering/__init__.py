"""Templates to text: the sandboxed Jinja subset, e-mail layout and plain parts."""

from journey.rendering.templates import TemplateError, render_text, variables

__all__ = ["TemplateError", "render_text", "variables"]
