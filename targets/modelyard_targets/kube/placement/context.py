"""The context for lowering, with facts about a placement and plan indexes that are built only once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from modelyard.indexes import index
from modelyard.plan import (
    Cluster,
    Identity,
    Job,
    Link,
    ModelServer,
    Namespace,
    Plan,
    Promoter,
    Resource,
    RunRequest,
    Starter,
)
from modelyard.records import field, record
from modelyard.source import Path
from modelyard.spec import Pipeline, SecretRef, Store, System, Taint, TargetSpec
from modelyard.spec.following import followers, launched
from modelyard.stack import Manifest
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.storage.buckets import object_uri

RAY_VERSION = "2.60.0"
"""The Ray version in the runtime image. Users' own images must have the same Ray version (docs/targets.md)."""

REGISTRY_PORT = 5000

ANY_PLATFORM = Platform()
"""The platform of an existing cluster without provider-specific features."""


@record
class KubeObject:
    """A Kubernetes object with the spec line that requested it."""

    origin: Path
    manifest: Manifest


@record
class SecretKey:
    """An entry in a Secret in the workloads' namespace."""

    name: str
    key: str


@record(eq=False)
class Context:
    """A placement on a cluster, built using `context_for`.

    Unless noted otherwise, the indexes only cover this placement.
    """

    plan: Plan
    placement: str
    target: TargetSpec
    namespace: str
    image_name: Callable[[], str] = field(repr=False)  # name of the runtime image, with a hash of its files
    registry_uri: str  # empty if no registry is reachable
    prometheus_uri: str  # base URL, empty without monitoring
    operator_namespace: str
    ray_version: str
    monitored: bool  # Prometheus and its CRDs are available
    support_selector: tuple[tuple[str, str], ...]  # machines for heads, submitters and launchers
    support_tolerations: tuple[Taint, ...]
    platform: Platform
    identities: Mapping[str, Resource[Identity]] = field(repr=False)  # by workload, and by `<workload>/launcher`
    cron_jobs: Mapping[str, str] = field(repr=False)  # by pipeline: CronJob that starts the runs
    jobs: Mapping[str, Resource[Job]] = field(repr=False)  # by workload: pipeline resource
    starters: Mapping[str, tuple[str, ...]] = field(repr=False)  # by pipeline: monitors that start runs
    requests: tuple[RunRequest, ...]  # run requests from monitors on other targets
    followers: Mapping[str, tuple[Pipeline, ...]] = field(repr=False)  # by pipeline: pipelines that follow a run
    prefixes: Mapping[str, str] = field(repr=False)  # by endpoint: path prefix on a shared server
    links: Mapping[str, tuple[Link, ...]] = field(repr=False)  # by the source's `place`
    placed: Mapping[str, Resource] = field(repr=False)  # by `place`, for all placements
    read_elsewhere: Mapping[str, tuple[str, ...]] = field(repr=False)  # by registered name: aliases read as bundles

    @property
    def system(self) -> System:
        """Return the spec."""
        return self.plan.system

    @property
    def enterprise(self) -> bool:
        """Return whether the profile's size is `enterprise`, which favors redundancy over low cost."""
        return self.system.profile.size == "enterprise"

    @property
    def runtime_image(self) -> str:
        """Return the runtime image's name, computed on demand because most checks don't need it."""
        return self.image_name()

    def launched(self, pipeline: Pipeline) -> bool:
        """Return whether a pipeline's runs have a launcher."""
        return launched(pipeline, self.followers)

    def image(self, own: str) -> str:
        """Return the user's own image or its mirrored copy, or the runtime image if `own` is empty."""
        return mirrored(own, self.target) if own else self.runtime_image

    def identity(self, workload: str, launcher: bool = False) -> Resource[Identity] | None:
        """Return the identity of a workload or of its launcher."""
        return self.identities.get(f"{workload}/launcher" if launcher else workload)

    def identity_labels(self, workload: str) -> Mapping[str, str]:
        """Return the labels that give a workload's Pods their cloud identity, or none if it doesn't use a store."""
        identity = self.identity(workload)
        return self.platform.identity_labels if identity is not None and identity.value.access else {}

    def secret(self, ref: SecretRef, key: str = "") -> SecretKey:
        """Return the Secret entry for a reference, using `key` if the reference doesn't name one."""
        return SecretKey(secret_name(ref, self.target), ref.key or key)

    def uri(self, store: Store, path: str = "") -> str:
        """Return the URI that workloads use for a path in an object store."""
        return object_uri(store, path, self.system)


def namespace_of(plan: Plan, placement: str) -> str:
    """Return the namespace of a placement's workloads, or the system name if it has no cluster."""
    return next((namespace.name for namespace in plan.of(Namespace, placement)), plan.system.metadata.name)


def context_for(
    plan: Plan,
    placement: str,
    *,
    runtime_image: str | Callable[[], str],
    registry_uri: str = "",
    operator_namespace: str = "kuberay-system",
    ray_version: str = RAY_VERSION,
    support_selector: tuple[tuple[str, str], ...] = (),
    support_tolerations: tuple[Taint, ...] = (),
    platform: Platform = ANY_PLATFORM,
) -> Context:
    """Build a placement's context. An adopted registry's URL takes precedence over `registry_uri`.

    `support_selector` and `support_tolerations` apply to Pods without a compute class.
    """
    target = platform.target(plan, placement)
    jobs, registry = plan.of(Job, placement), plan.system.registry
    monitored = any("prometheus" in cluster.value.addons for cluster in plan.of(Cluster, placement))
    return Context(
        plan=plan,
        placement=placement,
        target=target,
        namespace=namespace_of(plan, placement),
        image_name=_always(runtime_image) if isinstance(runtime_image, str) else runtime_image,
        registry_uri=registry.adopt if registry and registry.adopt else registry_uri,
        prometheus_uri=_prometheus_uri(target) if monitored else "",
        operator_namespace=operator_namespace,
        ray_version=ray_version,
        monitored=monitored,
        support_selector=support_selector,
        support_tolerations=support_tolerations,
        platform=platform,
        identities=_identities(plan.of(Identity, placement)),
        cron_jobs={job.value.pipeline.name: job.name for job in jobs if job.value.pipeline.schedule.kind != "once"},
        jobs={job.workload: job for job in jobs},
        starters=_starters(plan.system),
        requests=tuple(request for starter in plan.of(Starter, placement) for request in starter.value.requests),
        followers=followers(plan.system),
        prefixes={
            application.inference.name: application.route_prefix
            for server in plan.of(ModelServer, placement)
            for application in server.value.applications
        },
        links=_links(plan.links),
        placed=plan.by_place,
        read_elsewhere=_read_elsewhere(plan, placement),
    )


def secret_name(ref: SecretRef, target: TargetSpec) -> str:
    """Return the name of the Secret that contains a reference's value.

    An existing Secret is named after the reference's path, with dots instead of slashes. A Secret created by External
    Secrets is prefixed with the store's name so that equal paths in two stores don't collide.
    """
    name = ref.path.strip("/").replace("/", ".").replace("_", "-").lower()
    via = {store.name: store.via for store in target.secret_stores}.get(ref.store, "existing")
    return name if via == "existing" else f"{ref.store}.{name}"


def database_name(store: Store) -> str:
    """Return the name of a managed database and of its owner role."""
    return store.called.replace("-", "_")


def _always(name: str) -> Callable[[], str]:
    return lambda: name


def mirrored(image: str, target: TargetSpec) -> str:
    """Return the image, or its copy in the target's mirror, whose path omits the original host."""
    if not (target.images.mirror and target.images.registry):
        return image
    host, slash, rest = image.partition("/")
    path = rest if slash and ("." in host or ":" in host or host == "localhost") else image
    return image if image.startswith(f"{target.images.registry}/") else f"{target.images.registry}/{path}"


def pull_secret_of_addons(target: TargetSpec) -> str:
    """Return the name of the add-ons' pull secret, or "" if they're pulled from public registries."""
    return target.images.pull_secret if target.images.mirror else ""


def _prometheus_uri(target: TargetSpec) -> str:
    if target.telemetry.prometheus:
        return target.telemetry.prometheus.rstrip("/")
    return f"http://prometheus-operated.{target.telemetry.namespace}.svc.cluster.local:9090"


def _identities(identities: Iterable[Resource[Identity]]) -> dict[str, Resource[Identity]]:
    by_workload: dict[str, Resource[Identity]] = {}
    for identity in identities:
        workload = identity.value.workload
        by_workload[f"{workload}/launcher" if workload in by_workload else workload] = identity
    return by_workload


def _starters(system: System) -> dict[str, tuple[str, ...]]:
    by_pipeline: dict[str, tuple[str, ...]] = {}
    for name, monitor in system.monitors.items():
        if monitor.on_breach.run:
            by_pipeline[monitor.on_breach.run] = (*by_pipeline.get(monitor.on_breach.run, ()), name)
    return by_pipeline


@index
def _links(links: tuple[Link, ...]) -> Mapping[str, tuple[Link, ...]]:
    by_source: dict[str, list[Link]] = {}
    for link in links:
        by_source.setdefault(link.source, []).append(link)
    return {source: tuple(links) for source, links in by_source.items()}


def _read_elsewhere(plan: Plan, placement: str) -> dict[str, tuple[str, ...]]:
    by_model: dict[str, set[str]] = {}
    for job in (resource.value for resource in plan.of(Job, placement)):
        if job.model is not None and job.bundles:
            by_model.setdefault(job.model.registered_name, set()).update(job.bundles)
    for promoter in plan.of(Promoter, placement):
        for name, aliases in promoter.value.bundles.items():
            by_model.setdefault(name, set()).update(aliases)
    return {name: tuple(sorted(aliases)) for name, aliases in by_model.items()}
