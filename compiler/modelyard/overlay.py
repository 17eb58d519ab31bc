"""The second stage: merge an environment's changes into the document (RFC 7396), keeping every span."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.diagnostics import overlay as tell
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.bounds import at_most
from modelyard.diagnostics.validate import wrong_length
from modelyard.patterns import pattern
from modelyard.records import field, record, replace
from modelyard.source import Document, Json, Path, Span, Spans, appended

SECTION: Final = "environments"
MOST: Final = 100
"""The maximum number of environments in a spec, as in the schema. There is a limit because `validate` checks all of
them.
"""
_NAME: Final = pattern(r"[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?\Z")


def environments(document: Document) -> tuple[str, ...]:
    """Return the names of the environments that are defined in the spec itself."""
    section = document.value.get(SECTION)
    return tuple(section) if isinstance(section, dict) else ()


def overlay(
    document: Document, environment: str | None, extra: Document | None = None, others: Iterable[str] = ()
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Merge one environment into the document, and remove the `environments` section.

    `extra` is the loaded file `environments/NAME.yaml`, which is equivalent to an entry in the section. `others` holds
    the names of all such files.
    """
    refused = at_most(_refused(document, environment, extra, others))
    if refused:
        return document, refused
    if extra is not None:
        joined = appended(document, extra)
        return _merged(joined, extra.value)
    section = document.value.get(SECTION)
    if isinstance(section, dict):
        patch = section[environment] if environment is not None else None
        return _merged(document, patch if isinstance(patch, dict) else {})
    return _merged(document, {}) if SECTION in document.value else (document, ())


def _refused(
    document: Document, environment: str | None, extra: Document | None, others: Iterable[str]
) -> Iterator[Diagnostic]:
    """Report why the merge is impossible: the section has no patches, or the name is undefined or defined twice."""
    section = document.value.get(SECTION)
    if section is not None and not isinstance(section, dict):
        yield tell.not_a_patch(document.value_span((SECTION,)), SECTION)
        return
    names = section or {}
    if len(names) > MOST:
        bound = f"the maximum is {MOST}"
        yield wrong_length(document.key_span((SECTION,)), f"{len(names)} entries", bound)
        return
    for name, patch in names.items():
        if not _NAME.match(name):
            yield tell.environment_name(document.key_span((SECTION, name)), name)
        if isinstance(patch, dict) and SECTION in patch:
            yield tell.environments_in_environment(document.key_span((SECTION, name, SECTION)))
        if patch is not None and not isinstance(patch, dict):
            yield tell.not_a_patch(document.value_span((SECTION, name)), f"{SECTION}.{name}")
    if extra is not None and SECTION in extra.value:
        yield tell.environments_in_environment(extra.key_span((SECTION,)))
    if environment is None:
        return
    if extra is None and environment not in names:
        span = document.key_span((SECTION,)) if names else None
        yield tell.unknown_environment(span, environment, (*names, *others))
    if extra is not None and environment in names:
        yield tell.environment_twice(document.key_span((SECTION, environment)), environment, extra.files[0].path)


def _merged(document: Document, patch: dict[str, Json]) -> tuple[Document, tuple[Diagnostic, ...]]:
    merge = _Merge(document, document.spans.copy())
    value = merge.without(merge.mapping(document.value, patch), SECTION)
    return replace(document, value=value, spans=merge.spans, deleted=merge.deleted, overlaid=merge.overlaid), at_most(
        merge.diagnostics
    )


@record(frozen=False)
class _Merge:
    """A merge in progress: the spans of the new containers, and the diagnostics."""

    document: Document
    spans: Spans
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    deleted: dict[Path, Span] = field(default_factory=dict[Path, Span])
    overlaid: set[Path] = field(default_factory=set[Path])

    def mapping(self, base: dict[str, Json], patch: dict[str, Json], path: Path = ()) -> dict[str, Json]:
        """Merge `patch` into `base`. Null deletes a value; any value other than a mapping replaces the old one."""
        result = dict(base)
        numbers = self._numbers(base)
        for key, position in self._numbers(patch).items():
            value = patch[key]
            before = result.get(key)
            if value is None:
                if key not in base:
                    self.diagnostics.append(tell.deletes_nothing(self._key_span(position), key, base))
                self.deleted[*path, key] = self._key_span(position)
                result.pop(key, None)
            elif isinstance(value, dict):
                result[key] = self.mapping(before if isinstance(before, dict) else {}, value, (*path, key))
            else:
                self.overlaid.add((*path, key))
                result[key] = value
            if not (isinstance(value, dict) and isinstance(before, dict)):
                numbers[key] = position
        return self._recorded(result, numbers)

    def without(self, mapping: dict[str, Json], key: str) -> dict[str, Json]:
        """Return the mapping without the given key."""
        return self._recorded({name: value for name, value in mapping.items() if name != key}, self._numbers(mapping))

    def _numbers(self, mapping: dict[str, Json]) -> dict[str, list[int]]:
        return dict(zip(mapping, self.spans.entries(mapping), strict=True))

    def _recorded(self, mapping: dict[str, Json], numbers: dict[str, list[int]]) -> dict[str, Json]:
        if mapping:
            self.spans.record(mapping, [number for key in mapping for number in numbers[key]])
        return mapping

    def _key_span(self, position: list[int]) -> Span:
        line, column, end = position[:3]
        return self.document.span((line, column, end))
