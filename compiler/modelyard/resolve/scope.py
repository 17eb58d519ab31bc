"""The context for resolving all sections: the known names, the profile, and the errors found so far."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard import units
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import resolve as problems
from modelyard.diagnostics.base import ENTRIES
from modelyard.nodes import Node, NotValidatedError, mapping, text, texts
from modelyard.records import field, record, replace
from modelyard.source import Document, Json, Path, Span
from modelyard.spec import ComputeClass, SecretRef

SECTIONS = ("stores", "compute", "data", "models", "pipelines", "inference", "monitors", "channels")
_SUGGESTED = 50  # the number of errors that get a suggestion, because each lookup scans all names


@record(frozen=False)
class Scope:
    """The document, its entries by section (targets are under `targets`), and the diagnostics collected so far."""

    document: Document
    root: Node
    names: dict[str, Node] = field(default_factory=dict[str, Node])
    enterprise: bool = False
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    inline: dict[str, ComputeClass] = field(default_factory=dict[str, ComputeClass])
    store_types: dict[str, str] = field(default_factory=dict[str, str])
    edges: set[str] = field(default_factory=set[str])  # targets with `edge: true`
    suggested: int = 0

    @classmethod
    def of(cls, document: Document) -> Scope:
        """Create the scope of a document before anything is resolved."""
        root = _by_name(document.value)
        scope = cls(document, root)
        for section in SECTIONS:
            scope.names[section] = mapping(root, section)
        scope.enterprise = text(mapping(root, "profile"), "size", "small") == "enterprise"
        scope.store_types = {
            name: text(entry, "type") for name, entry in scope.names["stores"].items() if isinstance(entry, dict)
        }
        return scope

    def report(self, diagnostic: Diagnostic, missing: Path = ()) -> None:
        """Collect a diagnostic, marking it as a consequence if the entry at `missing` was set aside for an error."""
        around = [missing[:length] for length in range(1, len(missing) + 1)]
        follows = not self.document.aside.isdisjoint(around)
        self.diagnostics.append(replace(diagnostic, follows=True) if follows else diagnostic)

    def left_out(self, section: str) -> Path:
        """Return the first path in the section that was set aside because of an error, or () if there is none."""
        return next((path for path in self.document.aside if path[0] == section), ())

    def suggestions(self, names: Iterable[str]) -> Iterable[str]:
        """Return the candidate names for a suggestion, or none once the suggestion limit is reached."""
        self.suggested += 1
        return names if self.suggested <= _SUGGESTED else ()


def _by_name(value: Node) -> Node:
    """Sort all mappings in a value by key so that their order in the spec has no effect."""
    return {key: _ordered(value[key]) for key in sorted(value)}


def _ordered(value: Json) -> Json:
    if isinstance(value, dict):
        return _by_name(value)
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def bound(scope: Scope, section: str, name: str, path: Path) -> str:
    """Return `name`, and report an error at `path` if the section has no entry with this name."""
    if name not in scope.names[section]:
        span = scope.document.value_span(path)
        scope.report(unknown(scope, section, name, span), entry_path(section, name))
    return name


def entry_path(section: str, name: str) -> Path:
    """Return the path where an entry with the given name is declared."""
    return ("deployment", "targets", name) if section == "targets" else (section, name)


def unknown(scope: Scope, section: str, name: str, span: Span) -> Diagnostic:
    """Return a diagnostic for an unknown name in a section, suggesting the closest known name."""
    deleted = scope.document.deleted.get(entry_path(section, name))
    suggestions = scope.suggestions(scope.names[section])
    empty = "" if scope.names[section] else ".".join(map(str, entry_path(section, name)[:-1]))
    return problems.unknown_reference(span, ENTRIES[section], name, suggestions, deleted, empty)


def reference(scope: Scope, section: str, node: Node, key: str, path: Path, default: str = "") -> str:
    """Return the resolved name from a field, or the default if the field is absent."""
    name = node.get(key)
    if name is None:
        return default
    if not isinstance(name, str):
        raise NotValidatedError(key)
    return bound(scope, section, name, (*path, key))


def references(scope: Scope, section: str, node: Node, key: str, path: Path) -> tuple[str, ...]:
    """Return the resolved names from a list."""
    names = texts(node, key)
    declared = scope.names[section]
    for at, name in enumerate(names):
        if name not in declared:
            bound(scope, section, name, (*path, key, at))
    return names


def address(scope: Scope, node: Node, key: str, path: Path) -> str:
    """Return the entry address in a field, such as `inference.scorer`, reporting an error if it doesn't exist.

    The schema limits which sections are allowed.
    """
    value = text(node, key)
    section, _, name = value.partition(".")
    if section not in scope.names:
        raise NotValidatedError(key)
    bound(scope, section, name, (*path, key))
    return value


def store(scope: Scope, kind: str, node: Node, key: str, path: Path, default: str = "") -> str:
    """Return a store name, reporting an error unless the store's type is `kind` (`object` or `database`)."""
    name = reference(scope, "stores", node, key, path, default)
    actual = scope.store_types.get(name)
    if actual is not None and actual != kind:
        span = scope.document.value_span((*path, key))
        fitting = [other for other, type_ in scope.store_types.items() if type_ == kind]
        scope.report(problems.store_of_other_type(span, name, actual, kind, fitting))
    return name


def secret(node: Node, key: str) -> SecretRef | None:
    """Return a secret reference, or None if the field is absent."""
    value = text(node, key)
    if not value:
        return None
    parts = units.secret_parts(value)
    if parts is None:
        raise NotValidatedError(key)
    return SecretRef(*parts)
