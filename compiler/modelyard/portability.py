"""Move a system to other providers in memory, and report what each provider rejects.

A move changes only the provider of targets and whatever depends on it: the region, the account and the tenant.
Everything else stays as written, so every rejection is a change that somebody would have to make.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from modelyard.checks.regions import regions
from modelyard.diagnostics import Diagnostic, Severity
from modelyard.edits import Edit, edited
from modelyard.inputs import Inputs
from modelyard.kept_addresses import check_kept_addresses
from modelyard.paths import paths_at
from modelyard.pipeline import understood
from modelyard.records import record
from modelyard.source import Document, Json, Path
from modelyard.spec import System, TargetSpec, target_path
from modelyard.stages import Outcome, Stage
from modelyard.target import Targets
from modelyard.validate import faults_of

if TYPE_CHECKING:
    from modelyard.sites.binding import Bound

TIED: Final = "W0410"
"""The code for a setting that works on only one provider."""
_IDENTITY: Final = ("account", "tenant")
"""The fields that say whose cloud a target is in."""
_UNKNOWN: Final = "E0203"
"""The code for a field that does not exist, without which the rest of its mapping may be valid."""
_COMPLETED: Final = ("required", "pattern")
"""The keywords of schema errors for which an example value can stand in."""
_SETTINGS: Final = ("profile", "governance", "registry")
_SECTIONS: Final = (
    "stores",
    "compute",
    "data",
    "models",
    "pipelines",
    "inference",
    "monitors",
    "channels",
    "overrides",
)
_MOST_REGIONS: Final = 12
"""The maximum number of a provider's regions to try for a target."""

_NEAREST: Final = 3


@record
class Destination:
    """A provider to move to, and the region for all moved targets. Without a region, the nearest is chosen."""

    provider: str
    region: str = ""


@record
class Change:
    """A target's field that a move changes. None means that the field is absent."""

    path: Path
    before: Json
    after: Json


@record
class Refusal:
    """An error found after a move: its path, and the address of the part it affects ("" for the whole spec)."""

    part: str
    path: Path
    problem: Diagnostic


@record
class Move:
    """A move to a provider: the changed fields, the resulting errors, and the share of parts without errors."""

    destination: Destination
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]
    score: int  # percentage of the parts without any refusal


@record
class Portability:
    """A system's parts, the targets to move, the settings that tie it to one provider, and the moves."""

    parts: tuple[str, ...]
    targets: tuple[str, ...]
    tied: tuple[Refusal, ...]
    moves: tuple[Move, ...]


class NoRegion(Exception):
    """Raised if a provider has no region near a target, or if the target's location is not known.

    `allowed` is `governance.residency`. If it is set, it excludes all regions of the provider that every account can
    use, and `excluded` maps the nearest few of these to their countries.
    """

    def __init__(self, provider: str, target: TargetSpec, system: System) -> None:
        super().__init__(provider, target.name)
        self.provider, self.target, self.location = provider, target.name, target.region or target.residency
        self.allowed = system.governance.residency
        table = regions()
        near = table.near(provider, table.country_of(target.region) or target.residency, (), target.region)
        countries = table.countries.get(provider, {})
        self.excluded = {region: countries[region] for region in near[:_NEAREST]} if self.allowed else {}


def moving(system: System) -> tuple[TargetSpec, ...]:
    """Return the targets that move: those in a cloud or, failing that, all targets."""
    targets = system.deployment.targets
    return tuple(target for target in targets if target.in_cloud) or targets


def other_clouds(system: System, targets: Targets) -> tuple[Destination, ...]:
    """Return the clouds to move to. Excludes a cloud if all moving targets are already on it."""
    providers = {target.provider for target in moving(system)}
    clouds = (name for name, target in targets.items() if target.in_cloud)
    return tuple(Destination(name) for name in clouds if providers != {name})


def portability(outcome: Outcome, inputs: Inputs, targets: Targets, destinations: Iterable[Destination]) -> Portability:
    """Move a valid system to each destination. Raises NoRegion for a destination that has no region nearby."""
    document, system = outcome.document, outcome.system
    assert document is not None
    assert system is not None
    moved = moving(system)
    parts = tuple(parts_of(document))
    trial = _Trial(document, outcome.bound, system, inputs, targets, parts)
    return Portability(
        parts,
        tuple(target.name for target in moved),
        located(document, parts, (problem for problem in outcome.diagnostics if problem.code == TIED)),
        tuple(trial.best(destination, moved) for destination in destinations),
    )


def moved_to(
    outcome: Outcome, inputs: Inputs, targets: Targets, destination: Destination, moved: Sequence[TargetSpec]
) -> Move:
    """Move some targets of a valid system. Raises NoRegion for a destination that has no region nearby."""
    document, system = outcome.document, outcome.system
    assert document is not None
    assert system is not None
    return _Trial(document, outcome.bound, system, inputs, targets, tuple(parts_of(document))).best(destination, moved)


def located(document: Document, parts: Sequence[str], problems: Iterable[Diagnostic]) -> tuple[Refusal, ...]:
    """Convert diagnostics to refusals, each with the part of the document that it refers to."""
    listed = tuple(problems)
    places = paths_at(document, [problem.span for problem in listed if problem.span is not None])
    placed = ((problem, places.get(problem.span, ()) if problem.span else ()) for problem in listed)
    return tuple(Refusal(*_part_at(parts, paths), problem) for problem, paths in placed)


def _part_at(parts: Sequence[str], paths: tuple[Path, ...]) -> tuple[str, Path]:
    """Return the first part that contains one of the given paths, and the path within that part."""
    for path in paths:
        for length in range(len(path), 0, -1):
            if (part := ".".join(map(str, path[:length]))) in parts:
                return part, path
    return "", ()


def parts_of(document: Document) -> Iterator[str]:
    """Yield the addresses of a spec's parts: targets, system-wide settings, and section entries."""
    deployment = document.value.get("deployment")
    targets = deployment.get("targets") if isinstance(deployment, dict) else None
    yield from (f"deployment.targets.{name}" for name in targets) if isinstance(targets, dict) else ("deployment",)
    yield from (name for name in _SETTINGS if name in document.value)
    for section in _SECTIONS:
        entries = document.value.get(section)
        yield from (f"{section}.{name}" for name in entries) if isinstance(entries, dict) else ()


@record
class _Trial:
    """A system to move, and its parts. `bound` holds its site groups, if it has any."""

    document: Document
    bound: Bound | None
    system: System
    inputs: Inputs
    targets: Targets
    parts: tuple[str, ...]

    def best(self, destination: Destination, moved: Sequence[TargetSpec]) -> Move:
        """Return the move with the best score, either to a nearby region or to the one the user named."""
        moves = (self._move(destination, moved, chosen) for chosen in self._regions(destination, moved))
        return max(moves, key=lambda move: (move.score, -len(move.refusals)))

    def _regions(self, destination: Destination, moved: Sequence[TargetSpec]) -> Iterator[Mapping[str, str]]:
        """Yield the regions to try, by target. Targets that share a region stay together.

        Targets that are already on the provider stay in their region.
        """
        if not self.targets[destination.provider].in_cloud or destination.region:
            yield {target.name: destination.region for target in moved}
            return
        near = {
            target.name: (target.region,)
            if target.provider == destination.provider
            else _near(target, destination.provider, self.system)
            for target in moved
        }
        for target in moved:
            if not near[target.name]:
                raise NoRegion(destination.provider, target, self.system)
        for at in range(max(map(len, near.values()))):
            yield {name: choices[min(at, len(choices) - 1)] for name, choices in near.items()}

    def _move(self, destination: Destination, moved: Sequence[TargetSpec], chosen: Mapping[str, str]) -> Move:
        changes = (
            *(
                change
                for target in moved
                for change in self._changes(target, destination.provider, chosen[target.name])
            ),
            *self._mode(destination, moved),
        )
        edits = {change.path: Edit(change.after, removes=change.after is None) for change in changes}
        outcome = self._tried(edits)
        refusals = located(self.document, self.parts, errors_of(outcome))
        foreign = {refusal: path for refusal in refusals for path in self._foreign(refusal, outcome, moved)}
        if foreign:
            # A target with another provider's fields is not checked further, so such fields would hide other refusals.
            refusals = (*foreign, *self._behind(foreign, edits, moved))
        refused = {refusal.part for refusal in refusals}
        return Move(destination, changes, refusals, 100 * (len(self.parts) - len(refused)) // len(self.parts))

    def _tried(self, edits: Mapping[Path, Edit]) -> Outcome:
        outcome = understood(
            Outcome(document=edited(self.document, edits), bound=self.bound), self.inputs, self.targets
        )
        return with_kept_addresses(outcome, self.system)

    def _foreign(self, refusal: Refusal, outcome: Outcome, moved: Iterable[TargetSpec]) -> Iterator[Path]:
        """Yield the path of each field of a moved target that the new provider doesn't have or defines differently."""
        if outcome.stages[refusal.problem] is not Stage.VALIDATE:
            return
        for target in moved:
            path = target_path(self.system, target.name)
            if refusal.path[: len(path)] == path and len(refusal.path) > len(path):
                yield refusal.path if refusal.problem.code == _UNKNOWN else refusal.path[: len(path) + 1]

    def _behind(
        self, foreign: Mapping[Refusal, Path], edits: Mapping[Path, Edit], moved: Sequence[TargetSpec]
    ) -> tuple[Refusal, ...]:
        """Return the refusals that fields of another provider hide.

        An unknown field is left out, and a field that is missing or written differently gets an example value. If that
        doesn't complete a mapping such as `cluster`, the whole mapping is left out.
        """
        removed = {path: Edit(removes=True) for path in foreign.values()}
        unknown = {path: removed[path] for refusal, path in foreign.items() if refusal.problem.code == _UNKNOWN}
        stand_ins = dict(self._stand_ins(edited(self.document, {**edits, **unknown}), moved))
        rest = {path: edit for path, edit in removed.items() if not any(_is_within(each, path) for each in stand_ins)}
        complete = {**edits, **rest, **stand_ins}
        if not stand_ins or faults_of(edited(self.document, complete)):
            return located(self.document, self.parts, errors_of(self._tried({**edits, **removed})))
        return self._apart_from(stand_ins, self._tried(complete))

    def _stand_ins(self, document: Document, moved: Iterable[TargetSpec]) -> Iterator[tuple[Path, Edit]]:
        """Yield example values for what a moved target's mappings, such as `cluster`, lack or write differently.

        Without such a mapping, the target would be judged as if it described something else: a new cluster, say.
        """
        targets = [target_path(self.system, target.name) for target in moved]
        for fault in faults_of(document):
            path = (*fault.path, fault.name) if fault.keyword == "required" else fault.path
            example = fault.shape.example() if fault.keyword in _COMPLETED else None
            if example is not None and any(_is_within(path[:-2], target) for target in targets):
                yield path, Edit(example)

    def _apart_from(self, stand_ins: Collection[Path], outcome: Outcome) -> tuple[Refusal, ...]:
        """Return the errors of an outcome, except those about the example values in it."""
        errors, document = tuple(errors_of(outcome)), outcome.document
        assert document is not None
        places = paths_at(document, [problem.span for problem in errors if problem.span is not None])
        mine = [
            problem
            for problem in errors
            if problem.span is None
            or not any(_is_within(path, each) for path in places.get(problem.span, ()) for each in stand_ins)
        ]
        return located(self.document, self.parts, mine)

    def _changes(self, target: TargetSpec, provider: str, region: str) -> Iterator[Change]:
        path = target_path(self.system, target.name)
        current = self.system.written(*path)
        desired: dict[str, Json] = {"provider": provider, "region": region or None}
        if provider != target.provider:
            desired.update((field, None) for field in _IDENTITY if field in current)
        if not region and not self.targets[provider].runs_here and not current.get("context"):
            desired["context"] = target.name
        for name, after in desired.items():
            before = current.get(name)
            if before != after:
                yield Change((*path, name), before, after)

    def _mode(self, destination: Destination, moved: Sequence[TargetSpec]) -> Iterator[Change]:
        """Yield the change of mode if the move changes which targets are in a cloud or on this machine."""
        deployment, there = self.system.deployment, self.targets[destination.provider]
        in_cloud = there.in_cloud
        if there.runs_here:
            yield Change(("deployment", "mode"), deployment.mode, "local")
            return
        if deployment.mode != "local" and all(target.in_cloud == in_cloud for target in moved):
            return
        kinds = {in_cloud} | {target.in_cloud for target in deployment.targets if target not in moved}
        mode = "hybrid" if len(kinds) > 1 else "cloud" if in_cloud else "on-prem"
        if mode != deployment.mode:
            yield Change(("deployment", "mode"), deployment.mode, mode)


def _is_within(path: Path, outer: Path) -> bool:
    return path[: len(outer)] == outer


def with_kept_addresses(outcome: Outcome, old: System) -> Outcome:
    """Add errors for addresses that only the old cluster can resolve to a moved system's outcome."""
    if outcome.system is None:
        return outcome
    problems = tuple(check_kept_addresses(old, outcome.system))
    return outcome.after(outcome.reached, problems) if problems else outcome


def errors_of(outcome: Outcome) -> Iterator[Diagnostic]:
    """Yield the errors of an outcome."""
    return (problem for problem in outcome.diagnostics if problem.severity is Severity.ERROR)


def _near(target: TargetSpec, provider: str, system: System) -> tuple[str, ...]:
    """Return a provider's regions near a target: those in its country or, failing that, those nearby."""
    table = regions()
    country = table.country_of(target.region) or target.residency
    allowed = system.governance.residency or ((country,) if country in table.members else ())  # `residency: eu`
    near = table.near(provider, country, allowed, target.region)
    same = tuple(region for region in near if table.countries[provider][region] == country)
    return (same or near)[:_MOST_REGIONS]
