"""Turn parser events into values and spans, and reject YAML that is not allowed in a spec."""

from __future__ import annotations

import math
import re
from typing import Any, Final, NoReturn

import yaml

from modelyard.diagnostics import bounds
from modelyard.diagnostics import load as tell
from modelyard.diagnostics.base import Diagnostic, nearest
from modelyard.load.events import next_event, syntax_problem
from modelyard.load.scalars import MAX_INTEGER, NUMBER_STARTS, WORDS, plain_number, plain_value
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.source import Json, SourceFile, Span, Spans

# Used for every event: module-level names are looked up faster than attributes.
_Scalar = yaml.ScalarEvent
_Alias = yaml.AliasEvent
_MappingStart = yaml.MappingStartEvent
_MappingEnd = yaml.MappingEndEvent
_SequenceEnd = yaml.SequenceEndEvent

_CORE: Final = "tag:yaml.org,2002:"
_UNSEEN: Final = pattern("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]")
_BETWEEN: Final = pattern(r"(?:[ \t]*+(?:#[^\r\n]*+)?+(?:\r\n|\r|\n))*+[ \t]*+(?:#[^\r\n]*+)?+")
_DIRECTIVES: Final = pattern(r"(?:(?:%[^\r\n]*+|[ \t]*+(?:#[^\r\n]*+)?+)(?:\r\n|\r|\n))*+")
_DIRECTIVE: Final = pattern(r"^%", re.MULTILINE)
_REMEMBERED: Final = 10_000
_UNKNOWN: Final = object()
_MOST_DIRECTIVES: Final = 8
_WEIGHTLESS: Final = 64
"""An alias that repeats a string counts as one additional value per this many characters."""


@record
class Limits:
    """Limits on one file, well above the size of a spec with ten thousand models."""

    size_mib: int = 64
    depth: int = 64
    values: int = 1_250_000
    repeated: int = 1_000_000


LIMITS: Final = Limits()


class Stop(Exception):
    """Raised if nothing after the current position can be read. The last diagnostic explains why."""


class Builder:
    """Reads a document by recursive descent. The depth limit keeps the builder below Python's recursion limit."""

    def __init__(self, source: SourceFile, limits: Limits = LIMITS, may_be_empty: bool = False) -> None:
        self.spans = Spans()
        self.root = (1, 1, 2)
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._limits = limits
        self._may_be_empty = may_be_empty
        self._most_values = limits.values
        self._next = next_event(source.text)
        self._depth = 0
        self._values = 0
        self._text_weight = 0
        self._repeated = 0
        self._end: Any = None
        self._keys: dict[str, str] = {}
        self._plain: dict[str, Any] = dict(WORDS)
        self._anchors: dict[str, tuple[Json, int]] = {}
        self._open: set[str] = set()

    @property
    def separable(self) -> int:
        """The number of values read, or 0 if an anchor may connect entries with each other."""
        return 0 if self._anchors else self._values

    def document(self) -> Json:
        """Read the only document's value. Returns None if the document can't be read to the end."""
        try:
            return self._document()
        except Stop:
            return None
        except yaml.YAMLError as error:
            self._tell_syntax(error)
            return None

    def _document(self) -> Json:
        self._refuse_many_directives()
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            if self._may_be_empty:
                return {}
            self._stop(tell.empty_document(self._span(0, 0)))
        event = self._next()
        value = self._value(event)
        self.root = _numbers(event.start_mark, self._end)
        self._refuse_second_document()
        if self._may_be_empty and value is None:
            return {}
        if not isinstance(value, dict):
            self._refuse_top_level(event, value)
        return value

    # --- values

    def _value(self, event: Any) -> Json:
        """Read the value that starts with the given event, and set `_end` to the end of the value."""
        self._end = event.end_mark
        if event.__class__ is _Alias:
            return self._alias(event)
        if not event.anchor:
            return self._scalar(event) if event.__class__ is _Scalar else self._collection(event)
        before = self._weight()
        self._open.add(event.anchor)
        value = self._scalar(event) if event.__class__ is _Scalar else self._collection(event)
        self._open.discard(event.anchor)
        self._anchors[event.anchor] = (value, 1 + self._weight() - before)
        return value

    def _collection(self, event: Any) -> Json:
        is_mapping = event.__class__ is _MappingStart
        if event.tag not in {None, "!", f"{_CORE}map" if is_mapping else f"{_CORE}seq"}:
            self._tell(tell.explicit_tag(self._event_span(event), _shown_tag(event.tag)))
        self._count(event)
        self._depth += 1
        if self._depth > self._limits.depth:
            self._stop(bounds.nested_too_deep(self._event_span(event), self._limits.depth))
        value: Json = self._mapping() if is_mapping else self._sequence()
        self._depth -= 1
        return value

    def _mapping(self) -> dict[str, Json]:
        result: dict[str, Json] = {}
        numbers: list[int] = []
        get, keys = self._next, self._keys
        end: Any
        while (event := get()).__class__ is not _MappingEnd:
            key = keys.get(event.value) if event.__class__ is _Scalar and event.implicit[0] else None
            if key is None or event.anchor:
                key = self._key(event)
            following = get()
            if following.__class__ is _Scalar and not following.anchor:
                value = self._scalar(following)
                end = following.end_mark
            else:
                value = self._value(following)
                end = self._end
            if key is None:
                continue
            if key in result:
                first = numbers[6 * list(result).index(key)]
                self._tell(tell.duplicate_key(self._event_span(event), key, first))
                continue
            result[key] = value
            start, stop = event.start_mark, event.end_mark
            line, column = start.line, start.column
            numbers += (line + 1, column + 1, stop.column + 1 if stop.line == line else column + 2)
            start = following.start_mark
            line, column = start.line, start.column
            numbers += (line + 1, column + 1, end.column + 1 if end.line == line else column + 2)
        self._end = event.end_mark
        if numbers:
            self.spans.record(result, numbers)
        return result

    def _sequence(self) -> list[Json]:
        result: list[Json] = []
        numbers: list[int] = []
        get = self._next
        while (event := get()).__class__ is not _SequenceEnd:
            result.append(self._value(event))
            start, end = event.start_mark, self._end
            line, column = start.line, start.column
            numbers += (line + 1, column + 1, end.column + 1 if end.line == line else column + 2)
        self._end = event.end_mark
        if numbers:
            self.spans.record(result, numbers)
        return result

    def _alias(self, event: Any) -> Json:
        name: str = event.anchor
        if name in self._open:
            self._stop(tell.recursive_alias(self._event_span(event), name))
        if name not in self._anchors:
            hint = nearest(name, self._anchors, "did you mean {}?") or "quote a string that begins with '*'"
            self._tell(tell.unknown_alias(self._event_span(event), name, hint))
            return None
        value, weight = self._anchors[name]
        self._repeated += weight
        if self._repeated > self._limits.repeated:
            self._stop(bounds.alias_expansion(self._event_span(event), self._limits.repeated))
        return value

    def _count(self, event: Any) -> None:
        self._values += 1
        if self._values > self._most_values:
            self._stop(bounds.too_many_values(self._event_span(event), self._most_values))

    def _weight(self) -> int:
        return self._values + self._text_weight + self._repeated

    # --- scalars

    def _key(self, event: Any) -> str | None:
        """Read a new key to its end. Returns its text, or None if the key is rejected."""
        if event.__class__ is not _Scalar or event.tag or event.anchor:
            return self._unusual_key(event)
        text: str = event.value
        if not event.implicit[0]:
            self._refuse_unseen(event)
        elif self._is_text(event):
            self._keys[text] = text
        else:
            return None
        return text

    def _is_text(self, event: Any) -> bool:
        """Return whether a plain key is a string. Each spelling is checked only once."""
        text = event.value
        if text == "<<":
            self._tell(tell.merge_key(self._event_span(event)))
            return False
        value = plain_value(text)
        if isinstance(value, str):
            return True
        hint = f"""quote it as "{text}\"""" if text else "write a name before the colon"
        if text and self._source.text[event.end_mark.index : event.end_mark.index + 1] in {",", "}"}:
            hint = "quote the string before the comma, because a comma in braces ends it"
        self._tell(tell.key_not_text(self._event_span(event), _kind_of(value), hint))
        return False

    def _unusual_key(self, event: Any) -> str | None:
        value = self._value(event)
        if isinstance(value, str) and event.__class__ is _Scalar:
            return value
        description = "an alias" if event.__class__ is _Alias else _kind_of(value)
        is_template = self._source.text.startswith("{", event.start_mark.index - 1) and isinstance(value, dict)
        hint = "quote literal braces, or write a variable as ${vars.NAME}" if is_template else "write a name"
        self._tell(tell.key_not_text(self._event_span(event), description, hint))
        return None

    def _scalar(self, event: Any) -> Json:
        self._count(event)
        text: str = event.value
        if len(text) > _WEIGHTLESS:
            self._text_weight += len(text) // _WEIGHTLESS
        if event.implicit[0]:
            known: Json = self._plain.get(text, _UNKNOWN)
            if known is not _UNKNOWN:
                return known
            if text[0] in NUMBER_STARTS:
                return self._number(event)
            return text
        if event.tag:
            return self._tagged(event)
        self._refuse_unseen(event)
        return text

    def _number(self, event: Any) -> int | float | str:
        value = plain_number(event.value)
        if isinstance(value, float) and not math.isfinite(value):
            self._tell(tell.number_not_finite(self._event_span(event), event.value))
        elif isinstance(value, int) and abs(value) > MAX_INTEGER:
            self._tell(tell.integer_too_large(self._event_span(event), event.value))
        elif len(self._plain) < _REMEMBERED:
            self._plain[event.value] = value
        return value

    def _tagged(self, event: Any) -> Json:
        """Return a tagged scalar's value: a string for a string tag, or the plain value if it matches a core tag."""
        self._refuse_unseen(event)
        if event.tag in {"!", f"{_CORE}str"}:
            return str(event.value)
        value = plain_value(event.value)
        if event.style or event.tag not in _CORE_TAGS.get(value.__class__, ()):
            self._tell(tell.explicit_tag(self._event_span(event), _shown_tag(event.tag)))
            return None
        return self._number(event) if isinstance(value, int | float) and not isinstance(value, bool) else value

    def _refuse_unseen(self, event: Any) -> None:
        """Reject escape sequences for characters that are forbidden as literal characters."""
        if event.style != '"' or event.value.isprintable():
            return
        match = _UNSEEN.search(event.value)
        if match:
            self._tell(tell.forbidden_character(self._event_span(event), match[0]))

    # --- the document as a whole

    def _refuse_many_directives(self) -> None:
        """Reject files with many directives, because each directive is compared with all earlier ones."""
        match = _DIRECTIVES.match(self._source.text)
        if match and len(_DIRECTIVE.findall(match[0])) > _MOST_DIRECTIVES:
            problem = f"more than {_MOST_DIRECTIVES} directives"
            self._stop(tell.syntax(self._span(0, 0), problem, "remove the lines that begin with '%'"))

    def _refuse_top_level(self, event: Any, value: Json) -> None:
        if event.__class__ is _Scalar and value is None and not event.tag:
            self._tell(tell.empty_document(self._event_span(event)))
        else:
            self._tell(tell.top_level_not_a_mapping(self._event_span(event), _kind_of(value)))

    def _refuse_second_document(self) -> None:
        text = self._source.text
        after = _BETWEEN.match(text, self._next().end_mark.index)
        at = after.end() if after else len(text)
        if at == len(text):
            return
        if text[at] != "%" and not text.startswith("---", at):
            self._next()
        line = len(re.findall("\r\n|\r|\n", text[:at]))
        column = at - max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) - 1
        self._tell(tell.second_document(self._span(line, column)))

    def _tell_syntax(self, error: yaml.YAMLError) -> None:
        problem = syntax_problem(error, self._source.lines())
        span = self._span(problem.line, problem.column)
        if problem.is_tab:
            self._tell(tell.tab_indentation(span))
        else:
            self._tell(tell.syntax(span, problem.message, problem.hint))

    def _tell(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)
        if len(self.diagnostics) > bounds.MOST_MISTAKES:
            raise Stop

    def _stop(self, diagnostic: Diagnostic) -> NoReturn:
        self.diagnostics.append(diagnostic)
        raise Stop

    def _event_span(self, event: Any) -> Span:
        line, column, end = _numbers(event.start_mark, event.end_mark)
        return Span(self._source.path, line, column, end)

    def _span(self, line: int, column: int) -> Span:
        return Span(self._source.path, line + 1, column + 1, column + 2)


_CORE_TAGS: Final[dict[object, tuple[str, ...]]] = {
    int: (f"{_CORE}int",),
    float: (f"{_CORE}float",),
    bool: (f"{_CORE}bool",),
    type(None): (f"{_CORE}null",),
}


def _numbers(start: Any, end: Any) -> tuple[int, int, int]:
    """Return the line, column and end column, counted from 1. A multi-line span becomes its first character."""
    line: int = start.line
    column: int = start.column + 1
    if end.line == line and end.column >= column:
        return line + 1, column, end.column + 1
    return line + 1, column, column + 1


def _kind_of(value: Json) -> str:
    """Return the name of a value's type in YAML terms."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str | None):
        return "null" if value is None else "a string"
    return "true or false" if isinstance(value, bool) else "a number"


def _shown_tag(tag: str) -> str:
    return tag.replace(_CORE, "!!")
