"""Resolve overrides of emitted objects, and renames."""

from __future__ import annotations

from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, as_node, items, mapping, named_nodes, text
from modelyard.resolve.scope import Scope, entry_path, reference, unknown
from modelyard.spec import Deployment, Override


def resolve_overrides(scope: Scope, deployment: Deployment) -> tuple[Override, ...]:
    """Resolve the JSON patches, sorted by name."""
    return tuple(_override(scope, name, node, deployment) for name, node in named_nodes(scope.root, "overrides"))


def _override(scope: Scope, name: str, node: Node, deployment: Deployment) -> Override:
    kind, _, object_name = text(node, "object").partition("/")
    if "target" not in node and len(deployment.targets) > 1:
        span = scope.document.key_span(("overrides", name))
        scope.report(problems.override_target_missing(span, name, scope.names["targets"]))
    return Override(
        name=name,
        target=reference(scope, "targets", node, "target", ("overrides", name), deployment.placement.default),
        kind=kind,
        object=object_name,
        patch=tuple(as_node(operation, "patch") for operation in items(node, "patch")),
        reason=text(node, "reason"),
    )


def called(scope: Scope, section: str, name: str) -> str:
    """Return the name of an entry's objects: the entry's name, or its first name if it was renamed."""
    address = f"{section}.{name}"
    moved = mapping(scope.root, "moved") if "moved" in scope.root else {}
    return (text(moved, address) or address).partition(".")[2]


def resolve_moved(scope: Scope) -> dict[str, str] | None:
    """Resolve renames, mapping new addresses to old ones.

    The spec must contain all new addresses and none of the old ones.
    """
    if "moved" not in scope.root:
        return None
    node = mapping(scope.root, "moved")
    return {new: _moved(scope, node, new) for new in node}


def _moved(scope: Scope, node: Node, new: str) -> str:
    old = text(node, new)
    section, _, name = new.partition(".")
    old_section, _, old_name = old.partition(".")
    path = ("moved", new)
    if name not in scope.names[section]:
        scope.report(unknown(scope, section, name, scope.document.key_span(path)), entry_path(section, name))
    if old_section != section:
        scope.report(problems.moved_between_sections(scope.document.value_span(path), new, old))
    elif old_name in scope.names[section]:
        scope.report(problems.moved_from_existing(scope.document.value_span(path), old))
    return old
