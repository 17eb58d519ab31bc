"""What lowering needs beside a resource: where it goes, and indexes over the plan, made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelyard.plan import Cluster, Identity, Job, Link, ModelServer, Plan, Promoter, Resource, RunRequest, Starter
from modelyard.records import field, record
from modelyard.source import Path
from modelyard.spec import Pipeline, SecretRef, Store, System, Taint, TargetSpec
from modelyard.spec.following import followers, launched
from modelyard.stack import Manifest
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.storage.buckets import object_uri

RAY_VERSION = "2.60.0"
"""Ray in the runtime image; an image of the user's own must hold the same (docs/targets.md)."""

REGISTRY_PORT = 5000

ANY_PLATFORM = Platform()
"""A cluster of which nothing more is known."""


@record
class Made:
    """One object, and the line of the spec that asked for it."""

    origin: Path
    manifest: Manifest


@record
class SecretKey:
    """One key of a Secret in the namespace of the workloads."""

    name: str
    key: str


@record(eq=False)
class Context:
    """A placement on a cluster. Build it with `context_for`; the indexes are over that placement's resources only."""

    plan: Plan
    placement: str
    target: TargetSpec
    namespace: str
    image_name: Callable[[], str] = field(repr=False)  # of the runtime image, from a hash of its files
    registry_uri: str  # empty: no registry is reachable from here
    prometheus_uri: str  # base URL, empty where nothing is observed
    operator_namespace: str
    ray_version: str
    monitored: bool  # Prometheus and its kinds are there
    support_selector: tuple[tuple[str, str], ...]  # machines for heads, submitters and launchers
    support_tolerations: tuple[Taint, ...]
    platform: Platform
    identities: Mapping[str, Resource] = field(repr=False)  # by workload; a pipeline's second by `<workload>/launcher`
    cron_jobs: Mapping[str, str] = field(repr=False)  # by pipeline: the CronJob that starts its runs
    jobs: Mapping[str, Resource] = field(repr=False)  # by workload: what its pipeline runs as
    starters: Mapping[str, tuple[str, ...]] = field(repr=False)  # by pipeline: the monitors that start it
    requests: tuple[RunRequest, ...]  # of monitors on other targets for pipelines of this one
    followers: Mapping[str, tuple[Pipeline, ...]] = field(repr=False)  # by pipeline: those that its runs start
    prefixes: Mapping[str, str] = field(repr=False)  # by endpoint: what keeps its servers apart from others of a pool
    links: Mapping[str, tuple[Link, ...]] = field(repr=False)  # by `place` of their source
    placed: Mapping[str, Resource] = field(repr=False)  # by `place`: what links lead to, on every placement
    read_elsewhere: Mapping[str, tuple[str, ...]] = field(repr=False)  # by registered name: aliases, as bundles

    @property
    def system(self) -> System:
        """The spec that all of it comes from."""
        return self.plan.system

    @property
    def enterprise(self) -> bool:
        """Whether redundancy is asked for rather than frugality."""
        return self.system.profile.size == "enterprise"

    @property
    def runtime_image(self) -> str:
        """The name of the runtime image, which most checks do not need."""
        return self.image_name()

    def launched(self, pipeline: Pipeline) -> bool:
        """Whether a launcher waits for the end of each run of a pipeline."""
        return launched(pipeline, self.followers)

    def image(self, own: str) -> str:
        """The user's own image (its copy where the target has a mirror), or the runtime image."""
        return mirrored(own, self.target) if own else self.runtime_image

    def identity(self, workload: str, launcher: bool = False) -> Resource | None:
        """A workload's own identity, or that of what starts its runs."""
        return self.identities.get(f"{workload}/launcher" if launcher else workload)

    def secret(self, ref: SecretRef, key: str = "") -> SecretKey:
        """Where a value is found in the namespace; `key` picks one where the reference names a pair."""
        return SecretKey(secret_name(ref, self.target), ref.key or key)

    def uri(self, store: Store, path: str = "") -> str:
        """Where a path of an object store is, as the workloads open it."""
        return object_uri(store, path, self.system)


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
    """The context of one placement. An adopted registry's URL wins over `registry_uri`.

    `support_selector` and `support_tolerations` say which machines take the Pods that no compute class sizes.
    """
    target = platform.target(plan, placement)
    here = plan.on(placement)
    registry = plan.system.registry
    monitored = any("prometheus" in resource.value.addons for resource in here if isinstance(resource.value, Cluster))
    return Context(
        plan=plan,
        placement=placement,
        target=target,
        namespace=target.namespace or plan.system.metadata.name,
        image_name=_always(runtime_image) if isinstance(runtime_image, str) else runtime_image,
        registry_uri=registry.adopt if registry and registry.adopt else registry_uri,
        prometheus_uri=_prometheus_uri(target) if monitored else "",
        operator_namespace=operator_namespace,
        ray_version=ray_version,
        monitored=monitored,
        support_selector=support_selector,
        support_tolerations=support_tolerations,
        platform=platform,
        identities=_identities(here),
        cron_jobs={
            resource.value.pipeline.name: resource.name
            for resource in here
            if isinstance(resource.value, Job) and resource.value.pipeline.schedule.kind != "once"
        },
        jobs={resource.workload: resource for resource in here if isinstance(resource.value, Job)},
        starters=_starters(plan.system),
        requests=tuple(
            request for resource in here if isinstance(resource.value, Starter) for request in resource.value.requests
        ),
        followers=followers(plan.system),
        prefixes={
            application.inference.name: application.route_prefix
            for resource in here
            if isinstance(resource.value, ModelServer)
            for application in resource.value.applications
        },
        links=_links(plan),
        placed={resource.place: resource for resource in plan.resources},
        read_elsewhere=_read_elsewhere(here),
    )


def secret_name(ref: SecretRef, target: TargetSpec) -> str:
    """The Secret that holds a reference's value.

    An existing one is called like the path of the reference, with dots for slashes; one that External Secrets writes
    begins with its store's name, so that equal paths of two stores stay apart.
    """
    name = ref.path.strip("/").replace("/", ".").replace("_", "-").lower()
    via = {store.name: store.via for store in target.secret_stores}.get(ref.store, "existing")
    return name if via == "existing" else f"{ref.store}.{name}"


def database_name(store: Store) -> str:
    """The database of a store that is made, and the role that owns it."""
    return store.called.replace("-", "_")


def _always(name: str) -> Callable[[], str]:
    return lambda: name


def mirrored(image: str, target: TargetSpec) -> str:
    """The image itself, or its copy in the target's registry, under the same path without the registry's host."""
    if not (target.images.mirror and target.images.registry):
        return image
    host, slash, rest = image.partition("/")
    path = rest if slash and ("." in host or ":" in host or host == "localhost") else image
    return image if image.startswith(f"{target.images.registry}/") else f"{target.images.registry}/{path}"


def pull_secret_of_addons(target: TargetSpec) -> str:
    """The login that add-ons in namespaces of their own need: none where their images come from where they are made."""
    return target.images.pull_secret if target.images.mirror else ""


def _prometheus_uri(target: TargetSpec) -> str:
    if target.telemetry.prometheus:
        return target.telemetry.prometheus.rstrip("/")
    return f"http://prometheus-operated.{target.telemetry.namespace}.svc.cluster.local:9090"


def _identities(resources: tuple[Resource, ...]) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for resource in resources:
        if isinstance(resource.value, Identity):
            workload = resource.value.workload
            found[f"{workload}/launcher" if workload in found else workload] = resource
    return found


def _starters(system: System) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, monitor in system.monitors.items():
        if monitor.on_breach.run:
            found[monitor.on_breach.run] = (*found.get(monitor.on_breach.run, ()), name)
    return found


def _links(plan: Plan) -> dict[str, tuple[Link, ...]]:
    found: dict[str, list[Link]] = {}
    for link in plan.links:
        found.setdefault(link.source, []).append(link)
    return {source: tuple(links) for source, links in found.items()}


def _read_elsewhere(resources: tuple[Resource, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for resource in resources:
        if isinstance(resource.value, Job) and resource.value.model is not None and resource.value.bundles:
            found.setdefault(resource.value.model.registered_name, set()).update(resource.value.bundles)
        elif isinstance(resource.value, Promoter):
            for name, aliases in resource.value.bundles.items():
                found.setdefault(name, set()).update(aliases)
    return {name: tuple(sorted(aliases)) for name, aliases in found.items()}
