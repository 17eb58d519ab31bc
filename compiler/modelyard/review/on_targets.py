"""The consequences of a change on each target, and which of them matter to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from modelyard.effects import Effects
from modelyard.plan import Plan
from modelyard.records import record
from modelyard.review.cluster_use import ClusterUse, cluster_use
from modelyard.review.effect_words import is_of_workload
from modelyard.review.effects import Consequence, Effect, consequences
from modelyard.review.lowered import CLUSTER, Items, lowered
from modelyard.review.touched import touched
from modelyard.spec import System
from modelyard.target import Targets

_PROVIDERS_OF_PULUMI: Final = "pulumi:providers:"
_STOPPED: Final = {
    "replaces": "would replace",
    "destroys": "would destroy",
    "rolls out": "would roll out",
    "creates": "would create",
    "changes": "would change",
}
"""The wording for what `pulumi up` does, and the wording to use instead if `pulumi up` stops before that."""


@record
class OnTarget:
    """The consequences of a change for a target's resources, according to its provider's tables.

    `place` is the target's previous region, `kept` the workloads that exist in both versions, `use` how the use of an
    existing cluster changes, and `moving` the kinds and names of resources that one project gives to another.
    """

    name: str
    consequences: tuple[Consequence, ...]
    effects: Effects
    place: str = ""
    kept: frozenset[str] = frozenset()
    use: ClusterUse = ClusterUse()
    moving: frozenset[tuple[str, str]] = frozenset()

    def of(self, *effects: Effect) -> tuple[Consequence, ...]:
        """Return the consequences with the given effects, ignoring Pulumi providers and objects within a workload.

        Objects are ignored if they are created or destroyed while their workload remains, and so are resources that
        move to another project.
        """
        return tuple(
            consequence
            for consequence in self.consequences
            if consequence.effect in effects
            and consequence.key[1:] not in self.moving
            and not self._is_setting(consequence)
            and not self.is_part_of_a_change(consequence)
        )

    def is_part_of_a_change(self, consequence: Consequence) -> bool:
        """Return whether a disposable object is created or destroyed while its workload remains."""
        comes_or_goes = consequence.effect in {Effect.CREATED, Effect.DESTROYED}
        return (
            comes_or_goes
            and is_of_workload(consequence)
            and consequence.item.workload in self.kept
            and not self.is_noticed(consequence)
        )

    def is_noticed(self, consequence: Consequence) -> bool:
        """Return whether anyone would notice a resource or its loss, as opposed to a ConfigMap or a finished Job."""
        return bool(self.holds(consequence)) or self.use.is_named(consequence, self.effects)

    def holds(self, consequence: Consequence) -> str:
        """Return what is lost with a resource: `data`, `everything`, `requests`, `machines`, `access`, or "".

        If a project connects to another cluster, everything in the previous cluster is lost.
        """
        if consequence.item.kind == CLUSTER and consequence.effect is Effect.REPLACED:
            return "everything"
        return self.effects.part(consequence.item.kind).holds

    def up(self, verb: str) -> str:
        """Describe what `pulumi up` does on this target, or would do if it didn't stop early."""
        return f"`pulumi up` {_STOPPED[verb] if self.of(Effect.REFUSED) else verb}"

    def _is_setting(self, consequence: Consequence) -> bool:
        is_provider = self.effects.part(consequence.item.kind).type.startswith(_PROVIDERS_OF_PULUMI)
        return is_provider and consequence.effect is not Effect.IN_PLACE


def on_targets(
    before: Plan, after: Plan, targets: Targets, is_chosen: Callable[[str], bool] = lambda _: True
) -> Iterator[OnTarget]:
    """Yield the consequences of a change on each chosen target of either plan."""
    scope = touched(before, after)
    if scope is not None and not scope:
        return  # both versions mean the same
    old = {target.name: target for target in before.system.deployment.targets}
    new = {target.name: target for target in after.system.deployment.targets}
    entries = _entries(before.system) & _entries(after.system)
    for name in filter(is_chosen, {**new, **old}):
        target = new.get(name) or old[name]
        tables = targets[target.provider].effects()
        if name in old and old[name].provider != target.provider:
            tables = tables.joined(targets[old[name].provider].effects())
        was, now = lowered(before, name, targets, scope), lowered(after, name, targets, scope)
        affected = consequences(was, now, tables)
        stays = name in old and name in new and _is_same_namespace(before, after, name)
        kept = entries if stays else frozenset[str]()
        use = cluster_use(old.get(name), new.get(name), same_namespace=stays)
        place = old[name].region if name in old else ""
        yield OnTarget(name, affected, tables, place, kept, use, moving(was, now))


def moving(before: Items, after: Items) -> frozenset[tuple[str, str]]:
    """Return the kinds and names of resources that move between projects, of which at least one remains."""
    old, new = ({key[0] for key in items} for items in (before, after))
    gone = {key[1:]: key[0] for key in before if key not in after}
    return frozenset(
        key[1:] for key in after if key not in before and key[1:] in gone and (gone[key[1:]] in new or key[0] in old)
    )


def _is_same_namespace(before: Plan, after: Plan, target: str) -> bool:
    """Return whether a target's namespace, which defaults to the system name, is the same in both versions."""
    old, new = ((plan.system.target(target).namespace or plan.system.metadata.name) for plan in (before, after))
    return old == new


def _entries(system: System) -> frozenset[str]:
    """Return the addresses of all workloads in a system."""
    placed = {"pipelines": system.pipelines, "inference": system.inference, "monitors": system.monitors}
    return frozenset(f"{section}.{name}" for section, entries in placed.items() for name in entries)
