"""The values that stand for a site group during compilation, and the placeholders each site fills in later.

A group is compiled once, with a marker for each value that is only copied to the output as text. In the output, markers
become placeholders such as `${site.gateway}`, which the Pulumi program replaces with values from its stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.bounds import at_most
from modelyard.diagnostics.sites import unknown_site
from modelyard.patterns import pattern
from modelyard.records import field, record, replace
from modelyard.sites.groups import NAME, Group, Scalar
from modelyard.source import Document, Json, Path, Span

DIGEST: Final = "digest"
"""The second word of a placeholder for a hash of a site's values, such as `${site digest gateway name}`."""

EXCEPTION: Final = "overrides."
"""The prefix of a column that contains the sites to which an override applies."""

RUN_WHERE_WATCHED: Final = frozenset({"performance"})
"""The types of monitors that run where the watched resource runs. The typed spec calls them `RULES_ONLY`."""

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_FORMS: Final = (
    (pattern(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\Z"), "zq7s{group}v{column}z"),
    (
        pattern(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\.[a-z](?:[-a-z0-9]*[a-z0-9])?\Z"),
        "zq7s{group}v{column}z.example",
    ),
    (pattern(rf"(?:{_OCTET}\.){{3}}{_OCTET}\Z"), "240.{low}.77.{high}"),
    (pattern(rf"(?:{_OCTET}\.){{3}}{_OCTET}/(?:3[0-2]|[12]?[0-9])\Z"), "240.{low}.{high}.0/24"),
    (pattern(r"[A-Za-z0-9](?:[-A-Za-z0-9._]{0,61}[A-Za-z0-9])?\Z"), "zq7s{group}v{column}z"),
)
"""The forms of values that are only copied to the output: labels, host names, IPv4 addresses, address ranges and words.
Values in these forms contain no character with a special meaning in YAML, JSON, PromQL, a URL or a shell, and each form
has a marker of the same form.
"""

_AMBIGUOUS: Final = pattern(r"[0-9][0-9a-fA-FxXoOtTzZ_.:,+ -]*|(?i:y|n|yes|no|on|off|true|false|null|inf|infinity|nan)")
"""Matches strings that some YAML parsers read as a number, a date or a keyword, so a program could not insert them as
strings into YAML embedded in text. IPv4 addresses are quoted there, and so are their markers.
"""

_ADDRESSES: Final = (2, 3)
"""The positions in `_FORMS` of the forms for IPv4 addresses and address ranges."""

_MARK: Final = "zq7s"
_MARKER: Final = pattern(
    r"(?<![0-9.])240\.(?P<low>1[0-9][0-9])\.(?:77\.(?P<high>1[0-9][0-9])(?![0-9])|(?P<range>1[0-9][0-9])\.0/24)"
    r"|zq7s(?P<group>[0-9]+)(?:v(?P<column>[0-9]+)z(?:\.example)?|h(?P<hashed>(?:x[0-9]+)+)z)"
)
_MOST: Final = 90


@record
class Marked:
    """A group's columns that have markers, in the order of the marker numbers."""

    group: int
    columns: tuple[str, ...]

    def marker(self, column: str, form: int) -> str:
        """Return the marker for a column whose values have the given form."""
        at = self.columns.index(column)
        template: str = _FORMS[form][1]
        return template.format(group=self.group, column=at, low=100 + self.group, high=100 + at)


@record
class Binding:
    """The value that each column of a group has during compilation. Columns with markers are in `marked`."""

    values: Mapping[str, Scalar]
    marked: Marked


@record
class Choice:
    """How to bind a group's columns. Columns without markers get the values of the site at position `at`.

    If `fixed` is None, no column has a marker. Otherwise, every column that can have a marker gets one, except those in
    `fixed`.
    """

    fixed: frozenset[str] | None
    at: int


@record
class Bound:
    """The groups in a spec, each group's binding, and the locations where column values are used.

    `markable` holds the columns that can have markers, `places` the locations of the groups' `sites` fields, and
    `numbers` the numbers that stand for the groups in markers. All are keyed by group name.
    """

    groups: tuple[Group, ...]
    used: Mapping[tuple[str, str], list[Span]]
    markable: Mapping[str, tuple[str, ...]]
    places: Mapping[str, Span]
    numbers: Mapping[str, int]
    bindings: Mapping[str, Binding]


@record(frozen=False)
class Scopes:
    """Maps a document's entries to their groups, and resolves references to the groups' values.

    Without bindings, these references are left unchanged.
    """

    groups: tuple[Group, ...]
    bindings: Mapping[str, Binding] | None
    owners: dict[int, Group] = field(default_factory=dict[int, Group])
    used: dict[tuple[str, str], list[Span]] = field(default_factory=dict[tuple[str, str], "list[Span]"])

    def value(self, group: Group, column: str) -> Scalar | None:
        """Return the value to insert for a column, or None to leave the reference unchanged."""
        return None if self.bindings is None else self.bindings[group.name].values[column]


def form_of(values: Sequence[Scalar | None]) -> int | None:
    """Return the index in `_FORMS` of the first form that fits all values, or None if there isn't one."""
    listed = [value for value in values if isinstance(value, str)]
    if len(listed) != len(values):
        return None
    plain = not any(_AMBIGUOUS.fullmatch(value) for value in listed)
    for at, (form, _) in enumerate(_FORMS):
        if (plain or at in _ADDRESSES) and all(form.match(value) for value in listed):
            return at
    return None


def scopes_of(document: Document, groups: tuple[Group, ...], bindings: Mapping[str, Binding] | None) -> Scopes:
    """Find the entries in a document that exist once for each site of a group."""
    scopes = Scopes(groups, bindings)
    by_target = {group.name: group for group in groups}
    for group in groups:
        scopes.owners[id(_at(document.value, group.path))] = group
    for section in _SECTIONS:
        entries = document.value.get(section)
        for entry in entries.values() if isinstance(entries, dict) else ():
            target = _target_of(document, section, entry)
            if target in by_target:
                scopes.owners[id(entry)] = by_target[target]
    return scopes


_SECTIONS: Final = ("inference", "pipelines", "monitors", "stores", "overrides")


def _target_of(document: Document, section: str, entry: Json) -> str:
    """Return the target an entry names, or the default for its workload type.

    Monitors that only evaluate rules run where the watched resource runs.
    """
    fields = entry if isinstance(entry, dict) else {}
    if fields.get("target") is not None:
        return str(fields["target"])
    if section == "pipelines":
        return _default(document, "batch" if fields.get("type") == "batch-inference" else "training")
    if section == "monitors" and fields.get("type") in RUN_WHERE_WATCHED:
        watched, _, name = str(fields.get("watch")).partition(".")
        entries = document.value.get(watched) if watched in _WATCHED else None
        if isinstance(entries, dict) and name in entries:
            return _target_of(document, watched, entries[name])
    return _default(document, section if section in {"inference", "monitors"} else "default")


_WATCHED: Final = ("inference", "pipelines")


def _default(document: Document, kind: str) -> str:
    """Return the target for entries of a workload type that don't name one."""
    deployment = document.value.get("deployment")
    placement = deployment.get("placement") if isinstance(deployment, dict) else None
    targets = deployment.get("targets") if isinstance(deployment, dict) else None
    only = next(iter(targets)) if isinstance(targets, dict) and len(targets) == 1 else "main"
    if isinstance(placement, str):
        return placement
    if not isinstance(placement, dict):
        return only
    return str(placement.get(kind) or placement.get("default") or only)


def _at(value: Json, path: Path) -> Json:
    for step in path:
        assert isinstance(value, dict)
        value = value[str(step)]
    return value


def has_markers(text: str) -> bool:
    """Return whether a string contains a marker."""
    return (_MARK in text or "240." in text) and _MARKER.search(text) is not None


def free_numbers(texts: Iterable[str], count: int) -> list[int]:
    """Return group numbers whose markers don't occur in users' strings."""
    taken = {_numbers(match)[0] for text in texts if has_markers(text) for match in _MARKER.finditer(text)}
    return [number for number in range(_MOST) if number not in taken][:count]


def with_digest(digest: str, text: str) -> str:
    """Extend the hash of a string so that it also depends on the values of the markers in the string."""
    if not has_markers(text):
        return digest
    groups: dict[str, set[int]] = {}
    for match in _MARKER.finditer(text):
        group, columns = _numbers(match)
        groups.setdefault(str(group), set()).update(columns)
    return "-".join((digest, *sorted(_hashed(group, columns) for group, columns in groups.items())))


def _hashed(group: int | str, columns: Iterable[int]) -> str:
    return f"{_MARK}{group}h{''.join(f'x{column}' for column in sorted(columns))}z"


def _numbers(match: re.Match[str]) -> tuple[int, tuple[int, ...]]:
    if match["group"] is None:
        return int(match["low"]) - 100, (int(match["high"] or match["range"]) - 100,)
    if match["hashed"] is not None:
        return int(match["group"]), tuple(int(each) for each in match["hashed"].split("x")[1:])
    return int(match["group"]), (int(match["column"]),)


def filled(text: str, marked: Mapping[int, Marked], fill: Callable[[str, tuple[str, ...]], str]) -> str:
    """Replace the markers in a string. `fill` gets the kind of each marker ("" or `digest`) and its columns."""

    def replaced(match: re.Match[str]) -> str:
        group, columns = _numbers(match)
        of = marked.get(group)
        if of is None or any(column >= len(of.columns) for column in columns):
            return match[0]
        return fill(DIGEST if match["hashed"] is not None else "", tuple(of.columns[column] for column in columns))

    return _MARKER.sub(replaced, text) if has_markers(text) else text


@record
class Place:
    """The numbers of a group and a column in a marker. `marker` is the marker's text, or "" for the form it has."""

    group: int
    column: int
    marker: str = ""


def renumbered(text: str, places: Mapping[tuple[int, int], Place]) -> str:
    """Replace the markers in a string by those of other places, by group and column. Other markers stay as they are."""

    def replaced(match: re.Match[str]) -> str:
        group, columns = _numbers(match)
        if not all((group, column) in places for column in columns):
            return match[0]
        listed = [places[group, column] for column in columns]
        first = listed[0]
        if match["hashed"] is not None:
            return _hashed(first.group, (place.column for place in listed))
        if first.marker:
            return first.marker
        if match["low"] is not None:
            low, high = 100 + first.group, 100 + first.column
            return f"240.{low}.77.{high}" if match["high"] is not None else f"240.{low}.{high}.0/24"
        return f"{_MARK}{first.group}v{first.column}z{'.example' if match[0].endswith('.example') else ''}"

    return _MARKER.sub(replaced, text) if has_markers(text) else text


@record
class Site:
    """The site at a position in a group, with the group's markers. Values in `other` replace the site's own."""

    group: Group
    at: int
    marked: Marked
    other: Mapping[str, Scalar | None] = field(default_factory=dict[str, "Scalar | None"])

    def filled(self, text: str, chosen: Collection[str] | None = None) -> str:
        """Replace the markers in a string with the site's values, optionally only those of the chosen columns."""
        columns = self.marked.columns

        def replaced(match: re.Match[str]) -> str:
            group, positions = _numbers(match)
            if group != self.marked.group or any(at >= len(columns) for at in positions):
                return match[0]
            used = [columns[at] for at in positions]
            if chosen is not None and not any(column in chosen for column in used):
                return match[0]
            return "-".join(map(self._value, used))

        return _MARKER.sub(replaced, text) if has_markers(text) else text

    def _value(self, column: str) -> str:
        return str(self.other[column] if column in self.other else self.group.value(self.at, column))


def placeholder(kind: str, columns: tuple[str, ...]) -> str:
    """Return the placeholder for a site's value in the output, which the site's Pulumi program replaces."""
    return f"${{site {kind} {' '.join(columns)}}}" if kind else f"${{site.{columns[0]}}}"


def binding_of(number: int, group: Group, columns: Iterable[str], choice: Choice) -> Binding:
    """Bind a group's columns to markers or to the values of the chosen site."""
    listed = tuple(columns)
    forms = {} if choice.fixed is None else {column: form_of(group.columns[column]) for column in listed}
    fixed = choice.fixed or frozenset()
    opaque = tuple(column for column, form in forms.items() if form is not None and column not in fixed)[:_MOST]
    marked = Marked(number, opaque)
    values: dict[str, Scalar] = {}
    for column in listed:
        form = forms.get(column)
        is_marked = column in opaque and form is not None
        values[column] = (
            marked.marker(column, form) if is_marked and form is not None else group.value(choice.at, column)
        )
    return Binding(values, marked)


def columns_of(group: Group, used: Iterable[str]) -> tuple[str, ...]:
    """Return the columns to bind: the name, then used columns and those for overrides, in alphabetical order."""
    always = (column for column in group.columns if column.startswith(EXCEPTION) or column in group.always)
    bound = {*used, *always} - {NAME}
    return (NAME, *(column for column in sorted(bound) if column in group.columns))


def with_exceptions(document: Document, group: Group) -> tuple[Group, tuple[Diagnostic, ...]]:
    """Add a column for each override that names sites, and report unknown sites."""
    overrides = document.value.get("overrides")
    columns: dict[str, tuple[Scalar | None, ...]] = {}
    problems: list[Diagnostic] = []
    for name, entry in overrides.items() if isinstance(overrides, dict) else ():
        sites = entry.get("sites") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(sites, list):
            continue
        target = entry.get("target")
        if (str(target) if target is not None else _default(document, "default")) != group.name:
            continue
        for at, site in enumerate(sites):
            if site not in group.names:
                span = document.value_span(("overrides", name, "sites", at))
                problems.append(unknown_site(span, str(site), group.name, group.names))
        chosen = {str(site) for site in sites}
        columns[f"{EXCEPTION}{name}"] = tuple(site in chosen for site in group.names)
    if not columns:
        return group, ()
    for column, values in columns.items():
        group.columns[column] = values
    return group, at_most(problems)


def without_exceptions(document: Document, bindings: Mapping[str, Binding]) -> Document:
    """Remove the overrides that do not apply to the sites being compiled."""
    out = {
        column.removeprefix(EXCEPTION)
        for binding in bindings.values()
        for column, value in binding.values.items()
        if column.startswith(EXCEPTION) and value is False
    }
    overrides = document.value.get("overrides")
    if not out or not isinstance(overrides, dict):
        return document
    spans = document.spans.copy()
    kept = {name: entry for name, entry in overrides.items() if name not in out}
    entries = dict(zip(overrides, spans.entries(overrides), strict=True))
    spans.record(kept, [number for name in kept for number in entries[name]])
    value = {key: kept if key == "overrides" else child for key, child in document.value.items()}
    spans.record(value, [number for entry in spans.entries(document.value) for number in entry])
    return replace(document, value=value, spans=spans)
