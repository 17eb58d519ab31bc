"""Emit a site group as one project, with a stack and a settings file per site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, cast

from modelyard.fleets.fleet import Fleet, Kind
from modelyard.fleets.mapping import mapped, mapped_stack, mapped_text
from modelyard.plan import Plan
from modelyard.program import Call, Program, Ref
from modelyard.records import replace
from modelyard.sites.binding import Marked, filled, placeholder
from modelyard.sites.groups import NAME
from modelyard.stack import Manifest, ManifestFile, Project, Stack, Value
from modelyard.target import Targets

SETTING: Final = "site"
"""The stack setting that contains the values of its site."""

MANIFESTS: Final = "manifests"
"""The site value that names the folder of manifests for the site's kind, if the group has several kinds."""

FILLED: Final = frozenset({"kubernetes.Manifests", "kubernetes.Chart", "kubernetes.Object"})
"""The components that fill in placeholders."""


def with_fleets(
    stacks: tuple[Stack, ...], fleets: tuple[Fleet, ...], plan: Plan, targets: Targets
) -> tuple[Stack, ...]:
    """Replace each group's stack with one for all its sites, and put references to site values in other stacks."""
    marked = {fleet.number: fleet.binding.marked for fleet in fleets}
    by_target = {fleet.group.name: fleet for fleet in fleets}
    results: list[Stack] = []
    for stack in stacks:
        fleet = by_target.get(stack.target)
        if fleet is None:
            texts = tuple(mapped_text(text, lambda text: filled(text, marked, placeholder)) for text in stack.texts)
            results.append(replace(stack, texts=texts))
            continue
        lower = targets[plan.system.target(stack.target).provider].lower
        kind_stacks = (lower(_plan(kind), stack.target) for kind in fleet.kinds[1:])
        results.append(_of_all((stack, *kind_stacks), fleet, marked))
    return tuple(results)


def _plan(kind: Kind) -> Plan:
    assert kind.plan is not None
    return kind.plan


def _of_all(lowered: tuple[Stack, ...], fleet: Fleet, marked: Mapping[int, Marked]) -> Stack:
    stacks = tuple(mapped_stack(stack, lambda text: filled(text, marked, placeholder)) for stack in lowered)
    projects: list[Project] = []
    for at, project in enumerate(stacks[0].projects):
        settings = [stack.projects[at].settings for stack in lowered]
        settings_by_stack = dict(_settings(settings, fleet, marked, stacks[0].environment))
        manifests = tuple(_manifests([stack.projects[at] for stack in stacks], fleet))
        projects.append(
            replace(
                project,
                program=_with_site(project.program, fleet.group.name),
                settings=next(iter(settings_by_stack.values())),
                stacks=settings_by_stack,
                manifests=manifests,
            )
        )
    return replace(stacks[0], projects=tuple(projects))


def stack_name(environment: str, site: str) -> str:
    """Return the name of a site's stack in an environment."""
    return f"{environment}.{site}"


def _settings(
    settings: list[Mapping[str, Value]], fleet: Fleet, marked: Mapping[int, Marked], environment: str
) -> Iterator[tuple[str, Mapping[str, Value]]]:
    """Yield each stack's settings, sorted by site."""
    kinds = {at: number for number, kind in enumerate(fleet.kinds) for at in kind.rows}
    group = fleet.group
    for at in sorted(kinds, key=lambda at: group.names[at]):
        values = {column: str(group.value(at, column)) for column in fleet.binding.marked.columns}

        def fill(_: str, columns: tuple[str, ...], values: Mapping[str, str] = values) -> str:
            return values[columns[0]]

        own = mapped(settings[kinds[at]], lambda text, fill=fill: filled(text, marked, fill))  # type: ignore[misc]
        folder = {MANIFESTS: fleet.kinds[kinds[at]].name} if len(fleet.kinds) > 1 else {}
        site = {NAME: group.names[at], **values, **folder}
        yield stack_name(environment, group.names[at]), {**cast("Mapping[str, Value]", own), SETTING: site}


def _manifests(projects: list[Project], fleet: Fleet) -> Iterator[ManifestFile]:
    """Yield the files that all kinds share and, in one folder per kind, its versions of files that differ."""
    if len(projects) == 1:
        yield from projects[0].manifests
        return
    contents = [{file.name: tuple(file.documents()) for file in project.manifests} for project in projects]
    for name in dict.fromkeys(name for files in contents for name in files):
        first = contents[0].get(name)
        if first is not None and all(files.get(name) == first for files in contents):
            yield _constant(name, first)
            continue
        for kind, files in zip(fleet.kinds, contents, strict=True):
            if name in files:
                yield _constant(f"{kind.name}/{name}", files[name])


def _constant(name: str, documents: tuple[Manifest, ...]) -> ManifestFile:
    return ManifestFile(name, lambda: documents)


def _with_site(program: Program, target: str) -> Program:
    """Pass the site's values to the components that fill in placeholders."""
    calls = [Call(SETTING, "kubernetes.Site", target, group="site")]
    for call in program.calls:
        if call.component in FILLED and (call.component == "kubernetes.Manifests" or _has_placeholder(call)):
            head, *rest = call.arguments
            call = replace(call, arguments=(head, (SETTING, Ref(SETTING)), *rest))
        calls.append(call)
    return replace(program, calls=tuple(calls))


def _has_placeholder(call: Call) -> bool:
    return "${site" in repr(call.arguments)
