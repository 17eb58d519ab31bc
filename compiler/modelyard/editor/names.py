"""Find the possible names at a path in a spec, and the entry that a name refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from modelyard.records import record
from modelyard.shape import Schema, schema_of
from modelyard.source import Json, Path
from modelyard.substitution import FOR_EACH, LISTS, REPEATED

_ANY: Final = "*"
_CHAMPION: Final = "champion"
_ENVIRONMENTS: Final = "environments"


@record
class Names:
    """The documents in which a spec and its environments define names, starting with the spec."""

    values: tuple[Schema, ...]

    @classmethod
    def of(cls, *values: Schema) -> Names:
        """Collect the names from several documents and from the environments that they contain."""
        inner = (schema for value in values for schema in schema_of(value.get(_ENVIRONMENTS)).values())
        return cls((*values, *(schema for schema in inner if isinstance(schema, dict))))

    def at(self, *path: str) -> list[str]:
        """Return the keys of all mappings at a path."""
        return list(dict.fromkeys(key for value in self.values for key in schema_of(_at(value, path))))

    def first(self, *path: str) -> Json:
        """Return the first value at a path."""
        candidates = (_at(value, path) for value in self.values)
        return next((candidate for candidate in candidates if candidate is not None), None)


def _at(value: Json, path: Iterable[str]) -> Json:
    for step in path:
        value = schema_of(value).get(step)
    return value


@record
class Source:
    """Where the names at a path come from: all possible strings, and the section with the named entries.

    Without a section, strings that contain a dot are addresses.
    """

    texts: Callable[[Names, Path], Iterable[str]]
    section: str = ""


def _entries(*section: str) -> Source:
    return Source(lambda names, _: names.at(*section), section[0] if len(section) == 1 else "")


def _stores(kind: str) -> Source:
    def texts(names: Names, _: Path) -> Iterator[str]:
        for name in names.at("stores"):
            if names.first("stores", name, "type") in (kind, None):
                yield name

    return Source(texts, "stores")


def _sites(names: Names, path: Path) -> Iterator[str]:
    """Yield the sites that the spec lists for an override's target. Sites in a file are unknown here."""
    target = names.first(*map(str, path[:2]), "target")
    yield from names.at("deployment", "targets", str(target), "sites", "values") if target else ()
    yield from names.at("deployment", "sites", "values")


def _addresses(*sections: str) -> Source:
    return Source(lambda names, _: [f"{section}.{name}" for section in sections for name in names.at(section)])


def _in_same_entry(*below: str, above: int = 1) -> Source:
    """Return a source for names in the entry that is `above` levels up from the path."""
    return Source(lambda names, path: names.at(*map(str, path[: len(path) - above]), *below))


def _versions(names: Names, path: Path) -> Iterator[str]:
    """Yield the possible model references. They include an alias, except in training pipelines."""
    kind = names.first(*map(str, path[:2]), "type") if path[0] == "pipelines" else ""
    for model in names.at("models"):
        if kind == "training":
            yield model
        else:
            yield from (f"{model}@{alias}" for alias in _aliases_of(names, model))


def _aliases_of(names: Names, model: str) -> list[str]:
    trained = (schema_of(names.first("pipelines", name)) for name in names.at("pipelines"))
    moved = (entry.get("promoteTo") for entry in trained if entry.get("model") == model)
    promoted = (*moved, schema_of(names.first("models", model, "import")).get("promoteTo"))
    aliases = [*names.at("models", model, "stages"), *(str(entry) for entry in promoted if entry)]
    return list(dict.fromkeys(aliases)) or [_CHAMPION]


def _aliases(names: Names, _: Path) -> list[str]:
    return list(dict.fromkeys(alias for model in names.at("models") for alias in _aliases_of(names, model)))


_TARGETS: Final = _entries("deployment", "targets")
_DATA: Final = _entries("data")
_COMPUTE: Final = _entries("compute")
_VERSIONS: Final = Source(_versions, "models")
_ALIASES: Final = Source(_aliases)
_PIPELINES: Final = _addresses("pipelines")

SOURCES: Final[Mapping[str, Source]] = {
    "deployment.placement": _TARGETS,
    "deployment.placement.*": _TARGETS,
    "deployment.reachableFrom.*": _TARGETS,
    "deployment.sites.waves.canary.*": _in_same_entry("values", above=3),
    "deployment.targets.*.sites.waves.canary.*": _in_same_entry("values", above=3),
    "overrides.*.sites.*": Source(_sites),
    "deployment.targets.*.reachableFrom.*": _TARGETS,
    "deployment.telemetry.alertsOn": _TARGETS,
    "deployment.targets.*.telemetry.alertsOn": _TARGETS,
    "stores.*.target": _TARGETS,
    "pipelines.*.target": _TARGETS,
    "inference.*.target": _TARGETS,
    "monitors.*.target": _TARGETS,
    "overrides.*.target": _TARGETS,
    "registry.database": _stores("database"),
    "registry.artifacts": _stores("object"),
    "data.*.store": _stores("object"),
    "models.*.import.store": _stores("object"),
    "inference.*.capture.store": _stores("object"),
    "pipelines.*.compute": _COMPUTE,
    "pipelines.*.steps.*.compute": _COMPUTE,
    "inference.*.compute": _COMPUTE,
    "inference.*.variants.*.compute": _COMPUTE,
    "monitors.*.compute": _COMPUTE,
    "pipelines.*.inputs.*": _DATA,
    "pipelines.*.output": _DATA,
    "pipelines.*.steps.*.inputs.*": _DATA,
    "pipelines.*.steps.*.output": _DATA,
    "monitors.*.labels": _DATA,
    "monitors.*.reference.data": _DATA,
    "models.*.validation.*.data": _DATA,
    "pipelines.*.model": _VERSIONS,
    "pipelines.*.steps.*.model": _VERSIONS,
    "inference.*.variants.*.model": _VERSIONS,
    "inference.*.adapters.*": _VERSIONS,
    "models.*.base": _VERSIONS,
    "pipelines.*.promoteTo": _ALIASES,
    "models.*.import.promoteTo": _in_same_entry("stages", above=2),
    "models.*.stages.*.after": _in_same_entry(above=2),
    "models.*.stages.*.checks.*": _in_same_entry("validation", above=4),
    "models.*.stages.*.soak.monitor": _entries("monitors"),
    "models.*.stages.*.approvals.from.*": _entries("governance", "approvers"),
    "governance.approvals.promote.from.*": _entries("governance", "approvers"),
    "governance.owner.oncall": _entries("channels"),
    "monitors.*.onBreach.notify.*": _entries("channels"),
    "monitors.*.onBreach.run": _PIPELINES,
    "pipelines.*.schedule.after": _PIPELINES,
    "monitors.*.watch": _addresses("inference", "pipelines", "data"),
    "pipelines.*.steps.*.needs.*": _in_same_entry(above=3),
    "inference.*.mirror.to": _in_same_entry("variants", above=2),
    **{f"{section}.*.{FOR_EACH}": _entries(LISTS) for section in REPEATED},
    "data.*.label": _in_same_entry("schema"),
    "data.*.timestamp": _in_same_entry("schema"),
    "data.*.group": _in_same_entry("schema"),
    "data.*.features.*": _in_same_entry("schema", above=2),
}
"""Paths whose values are names that are defined elsewhere in the spec."""

KEYS: Final[Mapping[str, Source]] = {
    "inference.*.traffic": Source(lambda names, path: names.at(*map(str, path[:2]), "variants"))
}
"""Paths of mappings whose keys are names that are defined elsewhere in the spec."""


def in_base(path: Path) -> Path:
    """Convert a path in an environment to the path it overrides in the base."""
    return path[2:] if path[:1] == (_ENVIRONMENTS,) else path


def source_of(path: Path, table: Mapping[str, Source] = SOURCES) -> Source | None:
    """Return the source of the names allowed at a path in the base, or None if the value there isn't a name."""
    for pattern, source in table.items():
        steps = pattern.split(".")
        if len(steps) == len(path) and all(step in (_ANY, str(at)) for step, at in zip(steps, path, strict=True)):
            return source
    return None


def address_of(path: Path, text: str) -> str | None:
    """Return the address of the entry that a string at a path in the base refers to, such as `models.fraud`."""
    source = source_of(path)
    if source is None:
        return None
    if source.section:
        return f"{source.section}.{text.partition('@')[0]}"
    return text if text.count(".") == 1 else None
