"""The definition of a target, mostly as data. Includes its name, checks, and catalog of supported resources."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from modelyard.costs import CostLine
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.target import cannot_make
from modelyard.effects import Table, no_effects
from modelyard.plan import Hardwarer, Kind, Offer, Plan, Resource, SystemHardwarer, any_machine, namespace_of_system
from modelyard.program import Call
from modelyard.provider import ResolveOptions, Rule, no_options
from modelyard.records import field, record
from modelyard.source import Path
from modelyard.spec import System, TargetSpec
from modelyard.stack import Manifest, Stack
from modelyard.usage import Usage

if TYPE_CHECKING:
    from modelyard.handover import CopyJob, Handover  # needed only for migrations


@record
class Component:
    """Marks a resource kind as supported. `what` is the platform's name for it in docs/targets.md.

    Resources of this kind need the cluster's `addons`, except for adopted databases or gateways and existing secrets.
    Resources marked `apart` are created outside the cluster and don't need add-ons.
    """

    what: str
    addons: tuple[str, ...] = ()
    apart: bool = False


@record
class Impossible:
    """Marks a resource kind as unsupported on the platform. `reason` is the error, including an alternative."""

    reason: str


Entry: TypeAlias = Component | Impossible
Catalog: TypeAlias = Mapping[Kind, Entry]


def check_catalog(plan: Plan, catalogs: Mapping[str, Catalog]) -> Iterator[Diagnostic]:
    """Report each resource kind a placement doesn't support, once, where the spec first needs it.

    `catalogs` is keyed by placement. A kind missing from a catalog is a bug in modelyard and raises KeyError.
    """
    first_uses: dict[tuple[str, Kind], Resource] = {}
    for resource in plan.resources:
        first_uses.setdefault((resource.placement, resource.kind), resource)
    for (placement, kind), resource in first_uses.items():
        entry = catalogs[placement][kind]
        if not isinstance(entry, Component):
            yield cannot_make(plan.system.key(*resource.origin), kind.value, placement, entry.reason)


class Object(Protocol):
    """An object that a target emits, and its origin in the spec."""

    @property
    def origin(self) -> Path:
        """The object's path in the spec."""
        ...

    @property
    def manifest(self) -> Manifest:
        """The object's manifest."""
        ...


@record
class Pins:
    """A stack's third-party chart versions and image tags by name, for modelyard.lock."""

    charts: Mapping[str, str] = field(default_factory=dict[str, str])
    images: Mapping[str, str] = field(default_factory=dict[str, str])


def no_calls(plan: Plan, placement: str) -> Iterable[Call]:
    """Return no component calls, for targets without infrastructure."""
    return ()


def as_usual(offer: Offer) -> Offer:
    """Return the offer unchanged, for providers that cannot adopt existing clusters."""
    return offer


def no_handover(plan: Plan, placement: str, usage: Usage) -> Handover:
    """Return an empty handover, for targets that can't be either end of a migration."""
    from modelyard.handover import NO_HANDOVER

    return NO_HANDOVER


def no_copy(plan: Plan, placement: str, job: CopyJob) -> Iterable[Manifest]:
    """Return no objects, because the target has no cluster where a Job could copy data."""
    return ()


@record
class Target:
    """A provider that modelyard emits projects for."""

    name: str
    catalog: Catalog
    choose: Hardwarer
    check: Callable[[Plan, str], Iterable[Diagnostic]]  # plan, placement: features that this platform does not support
    lower: Callable[[Plan, str], Stack]  # plan, placement; never fails if `check` reports no error
    objects: Callable[[Plan, str], Iterable[Object]]  # plan, placement: every object with its origin
    pins: Callable[[Plan, str], Pins]  # plan, placement
    lines: Callable[[Plan, str, Usage], Iterable[CostLine]]  # everything that costs money
    choose_system: SystemHardwarer = any_machine
    namespace: Callable[[System], str] = namespace_of_system  # used if the spec does not name one
    calls: Callable[[Plan, str], Iterable[Call]] = no_calls  # plan, placement: the components of its infrastructure
    gateway_class: str = ""  # gateway class of its add-on; empty if the cluster already has a class
    diagnostics: str = ""  # the package with the provider's own diagnostics
    rules: tuple[Rule, ...] = ()  # the provider's own rules for specs
    resolve_options: ResolveOptions = no_options  # resolves the provider's own fields of a target
    in_cloud: bool = False  # whether this is a public cloud, in which case the region determines the location
    price_items: Callable[[], Collection[str]] = tuple  # what its cost lines may be priced as
    on_existing: Callable[[Offer], Offer] = as_usual  # the offer on a cluster that a cloud target adopts
    runs_here: bool = False  # whether this is the local machine, on which `modelyard run` runs the output
    effects: Table = no_effects  # what `pulumi up` does with a resource that changes
    secrets_via: str = ""  # how most targets read secrets from outside their cluster
    handover: Callable[[Plan, str, Usage], Handover] = no_handover  # plan, placement: what people must move manually
    copy: Callable[[Plan, str, CopyJob], Iterable[Manifest]] = no_copy  # a copy Job, for a migration

    @property
    def offer(self) -> Offer:
        """Collect the information that the planner needs."""
        addons_by_kind = {kind: entry.addons for kind, entry in self.catalog.items() if isinstance(entry, Component)}
        apart = frozenset(kind for kind, entry in self.catalog.items() if isinstance(entry, Component) and entry.apart)
        addons = {kind: addons for kind, addons in addons_by_kind.items() if addons}
        return Offer(self.choose, addons, apart, self.gateway_class, self.choose_system, self.namespace)

    def offer_for(self, target: TargetSpec) -> Offer:
        """Collect what the planner needs to know about a single target, which may adopt an existing cluster."""
        return self.on_existing(self.offer) if target.cluster.adopt else self.offer


class Targets(Mapping[str, Target]):
    """The providers that a spec may name, by name."""

    def diagnostics(self) -> tuple[str, ...]:
        """Return the packages that contain providers' own diagnostics."""
        return tuple(target.diagnostics for target in self.values() if target.diagnostics)

    @abstractmethod
    def rules(self, system: System) -> Iterable[Rule]:
        """Return the rules of all providers that a system uses, directly or through features on another target."""
