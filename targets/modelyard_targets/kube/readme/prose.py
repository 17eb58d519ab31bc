"""Render Markdown from our own Jinja templates, with all values escaped."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelyard.patterns import pattern
from modelyard.spec import System

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER: Final = Path(__file__).parent / "templates"
_MARKUP = pattern(r"[\\`*_\[\]|~<>&]|^[#+=-]|^(?=\d+[.)]\s)")
_BREAKS = pattern(r"\s+")
_BACKTICKS = pattern("`+")
_MOST_ARROWS: Final = 500
_LONGEST_DIAGRAM: Final = 50_000
"""Mermaid's defaults for `maxEdges` and `maxTextSize`. Larger diagrams are not rendered."""


class Markup(str):
    """Markdown that a filter has already escaped."""

    __slots__ = ()


def render(template: str, values: Mapping[str, object], folder: Path = FOLDER) -> str:
    """Render a template, looking up parent templates in `folder` or in this module's folder."""
    return _environment(folder).get_template(template).render(values)


def as_text(value: object) -> str:
    """Format a value as one line of Markdown text, with markup escaped."""
    if isinstance(value, Markup):
        return value
    return _MARKUP.sub(_escaped, _BREAKS.sub(" ", str(value)))


def as_code(value: object) -> Markup:
    """Format a value as a code span with enough backticks, escaping bars for table cells."""
    text = _BREAKS.sub(" ", str(value)).replace("|", "\\|")
    longest = max(map(len, _BACKTICKS.findall(text))) if "`" in text else 0
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return Markup(f"{fence}{padding}{text}{padding}{fence}")


def as_word(value: object) -> Markup:
    """Format a value as a single shell word for a code block, quoting it if necessary."""
    return Markup(shlex.quote(_BREAKS.sub(" ", str(value))))


def as_diagram(system: System) -> Markup:
    """Return the system's ML view as a Mermaid code block, or a note if it's too large for GitHub and GitLab."""
    from modelyard.drawing.mermaid import mermaid
    from modelyard.drawing.ml import ml_view

    too_large = Markup("A diagram of this system is too large for this page: `modelyard graph --format html` draws it.")
    if len(system.pipelines) + len(system.inference) + len(system.monitors) > _MOST_ARROWS:
        return too_large  # nearly all lines are edges
    picture = ml_view(system)
    if len(picture.arrows) > _MOST_ARROWS or len(text := mermaid(picture)) > _LONGEST_DIAGRAM:
        return too_large
    return Markup(f"```mermaid\n{text}```")


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;", "": "&#8203;"}.get(character, f"\\{character}")


@cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader((folder, FOLDER)),
        undefined=StrictUndefined,
        finalize=as_text,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # `finalize` escapes every value, for Markdown
    )
    environment.filters["code"] = as_code
    environment.filters["shell"] = as_word
    environment.filters["diagram"] = as_diagram
    return environment
