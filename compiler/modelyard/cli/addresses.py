"""What `explain` says of an address such as `inference.scorer`: where it stands, what came of it, and on what."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.cli.machines import machines_of
from modelyard.pipeline import Outcome
from modelyard.plan import Plan, Resource
from modelyard.source import Json, Path, Span
from modelyard.stack import Manifest
from modelyard_targets import TARGETS


def explain_address(outcome: Outcome, address: str) -> list[str]:
    """The lines to print; none where the spec has nothing at this address."""
    path: Path = tuple(address.split("."))
    if outcome.document is None or not _exists(outcome, path):
        return []
    lines = [f"{address}: written at {_place(outcome.document.key_span(path))}"]
    if outcome.plan is None:
        return [*lines, "  nothing is planned of it: the spec has errors (see modelyard validate)"]
    resources = [resource for resource in outcome.plan.resources if _belongs(resource, path, address)]
    lines += _resources(outcome.plan, resources)
    lines += machines_of(outcome.plan, resources, path)
    lines += _links(outcome.plan, resources)
    lines += _components(outcome.plan, path)
    lines += _objects(outcome.plan, path, address)
    return lines


def _exists(outcome: Outcome, path: Path) -> bool:
    value: Json = outcome.document.value if outcome.document else None
    for step in map(str, path):
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def _belongs(resource: Resource, path: Path, address: str) -> bool:
    return resource.origin[: len(path)] == path or resource.workload == address


def _resources(plan: Plan, resources: list[Resource]) -> list[str]:
    if not resources:
        return ["", "it makes no resource of its own; others use it"]
    width = max(len(resource.address) for resource in resources)
    return [
        "",
        "planned:",
        *(
            f"  {resource.address:<{width}}  on {resource.placement}, from {_place(plan.system.key(*resource.origin))}"
            for resource in resources
        ),
    ]


def _links(plan: Plan, resources: list[Resource]) -> list[str]:
    places = {resource.place for resource in resources}
    found = [link for link in plan.links if link.source in places or link.sink in places]
    lines = [
        f"  {link.source} -> {link.sink}: {link.what}" + (f", {link.protocol} {link.port}" if link.port else "")
        for link in found
    ]
    return ["", "talks:", *lines] if lines else []


def _components(plan: Plan, path: Path) -> list[str]:
    """What the infrastructure program makes because of a line at this path or below it."""
    lines = [
        f"  {target.name}: {call.component} {call.name}, from {_place(plan.system.key(*call.origin))}"
        for target in plan.system.deployment.targets
        for call in TARGETS[target.provider].calls(plan, target.name)
        if call.origin[: len(path)] == path
    ]
    return ["", "infrastructure:", *lines] if lines else []


def _objects(plan: Plan, path: Path, address: str) -> list[str]:
    lines: list[str] = []
    for target in plan.system.deployment.targets:
        for made in TARGETS[target.provider].objects(plan, target.name):
            if made.origin[: len(path)] == path or _workload(made.manifest) == address:
                name = _within(made.manifest, "metadata").get("name", "")
                lines.append(
                    f"  {target.name}: {made.manifest['kind']}/{name}, from {_place(plan.system.key(*made.origin))}"
                )
    return ["", "objects:", *lines] if lines else []


def _workload(manifest: Manifest) -> str:
    return str(_within(_within(manifest, "metadata"), "labels").get("modelyard.dev/workload", ""))


def _within(manifest: Manifest, name: str) -> Manifest:
    found = manifest.get(name)
    return found if isinstance(found, Mapping) else {}


def _place(span: Span) -> str:
    return f"{span.file}:{span.line}"
