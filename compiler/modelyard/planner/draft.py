"""The plan under construction, with its diagnostics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import no_machine, regions_hint
from modelyard.plan import (
    Access,
    Hardware,
    Identity,
    Kind,
    Link,
    NoMachine,
    Offer,
    Payload,
    Resource,
    RunRequest,
    bundle_path,
    bundled_on,
    model_path,
)
from modelyard.planner.crossings import aliases_to_bundle
from modelyard.records import field, record, replace
from modelyard.source import Path
from modelyard.spec import ComputeClass, Dataset, ModelRef, SecretRef, System, TargetSpec
from modelyard.spec.following import followers

_MOST_REGIONS: Final = 2
"""The maximum number of other regions to name in an error."""


@record(frozen=False)
class SecretUse:
    """A secret on a target: the first path in the spec that names it, and the workloads and resources that read it."""

    origin: Path
    workloads: dict[str, None] = field(default_factory=dict[str, None])
    readers: dict[str, None] = field(default_factory=dict[str, None])


@record(frozen=False)
class Needs:
    """The stores and secrets that a workload needs. Its identity and links are derived from them."""

    workload: str
    access: dict[Access, None] = field(default_factory=dict[Access, None])
    secrets: dict[SecretRef, Path] = field(default_factory=dict[SecretRef, Path])  # with the line in the spec
    stores: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])  # store, purpose

    def store(self, store: str, prefix: str, mode: str, purpose: str) -> None:
        """Add access to the folder `prefix` in a store, unless it has already been added."""
        self.access.setdefault(Access(store, prefix, mode))
        self.stores.setdefault((store, purpose))

    def writes(self, store: str, path: str) -> bool:
        """Return whether write access was already added for a path in a store or one of its parents."""
        return any(
            access.store == store and access.mode == "write" and path.startswith(f"{access.prefix.rstrip('/')}/")
            for access in self.access
        )

    def secret(self, ref: SecretRef | None, *origin: str | int) -> None:
        """Add the secret that the spec names at the path `origin`, unless it is None."""
        if ref is not None:
            self.secrets.setdefault(ref, origin)


class Draft:
    """Collects the plan's resources in creation order. `shared` ones precede `workloads`."""

    def __init__(self, system: System, offers: Mapping[str, Offer]) -> None:
        self.system = system
        self.targets: dict[str, TargetSpec] = {target.name: target for target in system.deployment.targets}
        self.shared: list[Resource] = []
        self.workloads: list[Resource] = []
        self.links: list[Link] = []
        self.diagnostics: list[Diagnostic] = []
        self.secrets: dict[tuple[str, SecretRef], SecretUse] = {}
        self.registry: Resource | None = None
        self.artifacts: tuple[str, str] | None = None  # store and prefix
        self.metrics: list[Resource] = []  # either scraped by Prometheus or pushing metrics
        self.offers = offers
        self._hardware: dict[tuple[str, str], Hardware | None] = {}
        self.bundles = aliases_to_bundle(system)
        self.followers = followers(system)
        self.requests: list[RunRequest] = []  # runs requested by monitors on other targets
        self._endpoints = {
            (inference.target, self.called("inference", name)) for name, inference in system.inference.items()
        }

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add diagnostics to the draft."""
        self.diagnostics.extend(diagnostics)

    def called(self, section: str, name: str) -> str:
        """Return the name for an entry's objects: its current name or, if it was renamed, its original name.

        Models are often trained and served under the same name, so a pipeline with the same name as an endpoint is
        called `<name>-runs`.
        """
        own_name = self.system.original_name(section, name)
        clashes = section == "pipelines" and (self.system.pipelines[name].target, own_name) in self._endpoints
        return f"{own_name}-runs" if clashes else own_name

    def share(
        self, kind: Kind, name: str, placement: str, origin: Path, value: Payload, workload: str = ""
    ) -> Resource:
        """Add a resource that is shared by several workloads."""
        resource = Resource(kind, name, placement, origin, workload, value)
        self.shared.append(resource)
        return resource

    def add(self, kind: Kind, name: str, placement: str, origin: Path, value: Payload, workload: str) -> Resource:
        """Add a resource that belongs to one workload."""
        resource = Resource(kind, name, placement, origin, workload, value)
        self.workloads.append(resource)
        return resource

    def hardware(self, compute: str, placement: str) -> Hardware | None:
        """Choose the machine type for a compute class on a target.

        If no type fits, reports this once and returns None.
        """
        key = (placement, compute)
        if key not in self._hardware:
            compute_class = self.system.compute[compute]
            offer = self.offers[placement]
            choice = offer.choose(compute_class, self.targets[placement])
            if isinstance(choice, NoMachine):
                self.diagnostics.append(self._no_machine(compute, placement, choice))
                self._hardware[key] = None
            else:
                self._hardware[key] = offer.mark(choice, self.system)
        return self._hardware[key]

    def _no_machine(self, compute: str, placement: str, refusal: NoMachine) -> Diagnostic:
        """Report a class that no machine fits, at the accelerator if its name is unknown, otherwise at the class."""
        compute_class = self.system.compute[compute]
        if refusal.position is not None:
            span = self.system.at(*compute_class.path, "accelerators", refusal.position)
            return no_machine(span, compute, placement, refusal.reason, refusal.hint)
        elsewhere = regions_hint(self._regions_with(compute_class, placement))
        return no_machine(self.system.key(*compute_class.path), compute, placement, refusal.reason, elsewhere)

    def _regions_with(self, compute: ComputeClass, placement: str) -> tuple[str, ...]:
        """Return the nearest regions of the target's cloud that have a machine type for the compute class."""
        target = self.targets[placement]
        if not target.in_cloud:
            return ()
        from modelyard.checks.regions import regions  # needed only for specs with errors

        table, choose = regions(), self.offers[placement].choose
        if target.region in table.restricted:  # the account cannot use other regions
            return ()
        near = table.near(
            target.provider, table.country_of(target.region), self.system.governance.residency, target.region
        )
        alternatives = (replace(target, region=region) for region in near if region != target.region)
        fits = (other.region for other in alternatives if isinstance(choose(compute, other), Hardware))
        return tuple(islice(fits, _MOST_REGIONS))

    def chosen(self, compute: str, placement: str) -> Hardware | None:
        """Return the hardware already chosen for a compute class on a target, or None."""
        return self._hardware.get((placement, compute))

    def use_secret(self, ref: SecretRef, placement: str, origin: Path, workload: str, reader: str = "") -> None:
        """Record that a workload on a target reads a secret. `reader` is the reading resource's `Resource.place`."""
        use = self.secrets.setdefault((placement, ref), SecretUse(origin))
        use.workloads.setdefault(workload)
        if reader:
            use.readers.setdefault(reader)

    def alerts_owner(self, placement: str) -> bool:
        """Return whether alerts that the spec doesn't ask for can reach the system's owner.

        The owner needs a channel, and the target must have a Prometheus or be able to get one. Otherwise, such alerts
        are omitted, because they must not make a spec invalid.
        """
        target = self.targets[placement]
        observed = target.tenancy != "shared" or "prometheus" in target.present
        return bool(self.system.governance.owner.oncall) and observed

    def wants_dataset(self, needs: Needs, dataset: Dataset, mode: str) -> None:
        """Give a workload access to a dataset in a store.

        For a dataset that is only a URI, the user must grant access.
        """
        if dataset.store:
            needs.store(dataset.store, dataset.path, mode, "data")
            self.wants_credentials(needs, dataset.store)

    def wants_artifacts(self, needs: Needs, mode: str, models: Iterable[str]) -> None:
        """Give a workload access to the registry and to the artifacts of the given models."""
        if self.system.registry is None:
            return
        if self.system.registry.adopt:
            needs.secret(self.system.registry.credentials, "registry", "credentials")
        if self.artifacts is not None:
            store, prefix = self.artifacts
            for name in models:
                registered = self.system.models[name].registered_name
                needs.store(store, model_path(prefix, registered), mode, "artifacts")
            self.wants_credentials(needs, store)

    def wants_models(self, needs: Needs, placement: str, models: Iterable[ModelRef]) -> None:
        """Give a workload read access to models, using bundles if the registry is on another target."""
        if not bundled_on(self.system, placement):
            self.wants_artifacts(needs, "read", [ref.model for ref in models])
        elif self.artifacts is not None:
            store, prefix = self.artifacts
            for ref in models:
                registered = self.system.models[ref.model].registered_name
                needs.store(store, bundle_path(prefix, registered, ref.alias), "read", "artifacts")
            self.wants_credentials(needs, store)

    def wants_deliveries(self, needs: Needs, models: Iterable[ModelRef]) -> None:
        """Allow a workload that moves aliases to write only the bundles that other targets read."""
        if self.artifacts is None:
            return
        store, prefix = self.artifacts
        for ref in models:
            if ref.alias in self.bundles.get(ref.model, ()):
                registered = self.system.models[ref.model].registered_name
                needs.store(store, bundle_path(prefix, registered, ref.alias), "write", "artifacts")

    def wants_credentials(self, needs: Needs, store: str) -> None:
        """Give a workload credentials for a store."""
        needs.secret(self.system.stores[store].credentials_of(needs.workload), "stores", store, "credentials")

    def identity(self, name: str, placement: str, origin: Path, workload: str, needs: Needs, api: str) -> Resource:
        """Give a workload an identity of its own, with exactly the access it needs."""
        value = Identity(workload, tuple(needs.access), tuple(needs.secrets), api)
        return self.add(Kind.IDENTITY, name, placement, origin, value, workload)

    def connect(self, resource: Resource, needs: Needs, registry: bool) -> None:
        """Link a resource to the stores, secrets and registry that its workload uses at run time."""
        for store, purpose in needs.stores:
            self.link_store(resource, store, purpose)
        for ref, origin in needs.secrets.items():
            self.use_secret(ref, resource.placement, origin, resource.workload, resource.place)
        if registry and self.registry is not None:
            adopted = self.system.registry.adopt if self.system.registry is not None else ""
            protocol, port = _address(adopted, ("http", 5000))
            self.links.append(Link(resource.place, self.registry.place, "registry", protocol, port))

    def link_store(self, resource: Resource, store: str, purpose: str) -> None:
        """Link a resource to the store that has the given name in the spec."""
        sink = self.system.stores[store]
        kind, usual = _STORES[sink.type]
        protocol, port = _address(sink.endpoint, usual)
        place = f"{sink.target}:{kind}/{sink.called}"
        self.links.append(Link(resource.place, place, purpose, protocol, port))


def _address(url: str, usual: tuple[str, int]) -> tuple[str, int]:
    """Return the protocol and port of a URL, using `usual` for whatever is missing."""
    try:
        parts = urlsplit(url)
        return parts.scheme or usual[0], parts.port or _PORTS.get(parts.scheme, usual[1])
    except ValueError:  # an invalid port or IPv6 address, which is reported elsewhere
        return usual


_PORTS = {"http": 80, "https": 443}
_STORES = {"object": (Kind.OBJECT_STORE, ("https", 443)), "database": (Kind.DATABASE, ("postgresql", 5432))}
