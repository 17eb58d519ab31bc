"""The plan: a target-neutral graph of resources, each with a placement and the line of the spec that asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, TypeAlias
from urllib.parse import urlsplit

from modelyard.records import field, record
from modelyard.source import Path
from modelyard.spec import (
    Accelerator,
    Capture,
    Channel,
    ComputeClass,
    Inference,
    Model,
    Monitor,
    Pipeline,
    Registry,
    SecretRef,
    Store,
    System,
    Taint,
    TargetSpec,
    Variant,
)
from modelyard.spec.scoring import scorings_of

_DAY_S = 86400
LOG_DAYS = 90
"""After which a bucket of the system deletes the logs of runs."""


class Kind(StrEnum):
    """What a vertex of the plan is; every target has an entry for each in its catalog."""

    CLUSTER = "cluster"
    NODE_POOL = "node-pool"
    NAMESPACE = "namespace"
    OBJECT_STORE = "object-store"
    DATABASE = "database"
    REGISTRY = "registry"
    SECRET = "secret"
    IDENTITY = "identity"
    MODEL_SERVER = "model-server"
    ROUTE = "route"
    TRAINING_JOB = "training-job"
    BATCH_JOB = "batch-job"
    CUSTOM_JOB = "custom-job"
    MONITOR = "monitor"
    PROMOTER = "promoter"
    ALERT_RULES = "alert-rules"
    DASHBOARD = "dashboard"
    CHANNEL = "channel"


@record
class Candidate:
    """A machine that was considered for a compute class; price is per hour, None where nobody declared one."""

    machine: str
    price_hourly: float | None
    why: str


@record
class NodeGroup:
    """Machines that a node pool is made of: any of `machines` does, and the first is what its price is of.

    All offer the same number of the same accelerator, and none less of anything than the first.
    """

    machines: tuple[str, ...]  # instance types of the provider
    spot: bool
    accelerator: Accelerator | None  # what one machine offers, not what a Pod asks for
    price_hourly: float | None
    arch: str = "amd64"  # amd64 arm64


@record
class Fallback:
    """Machines that Pods may run on, where those that they prefer are gone: by their labels."""

    machine: str
    selector: tuple[tuple[str, str], ...]


@record
class PassedOver:
    """An alternative of a class's `accelerators`, by its position there, that no Pod of the class will get, and why."""

    position: int
    accelerator: Accelerator
    why: str


@record
class Smaller:
    """A much cheaper machine that a Pod just misses, and what the Pod may ask for to fit on it."""

    machine: str
    price_hourly: float
    cpu_millis: int
    memory_bytes: int


@record
class Hardware:
    """What one Pod of a compute class asks for on its placement, and the machine that was chosen for it."""

    compute: str  # class name
    cpu_millis: int
    memory_bytes: int
    disk_bytes: int | None
    accelerator: Accelerator | None
    machine: str  # how the target calls it: an instance type, or `capacity[0]`
    spot: bool
    selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    price_hourly: float | None
    considered: tuple[Candidate, ...]  # the choice first, then the next best
    accelerator_resource: str = ""  # what Pods ask for it by: nvidia.com/gpu, google.com/tpu …
    groups: tuple[NodeGroup, ...] = ()  # made for it and tried in this order, if machines are made
    elastic: bool = False  # any machine that is big enough is made when it is needed
    passed_over: tuple[PassedOver, ...] = ()
    smaller: Smaller | None = None
    fallback: Fallback | None = None  # where its Pods go when what was chosen is taken away or full


class Hardwarer(Protocol):
    """Chooses a machine for a compute class, or says in words why none fits (naming the nearest)."""

    def __call__(self, compute: ComputeClass, target: TargetSpec) -> Hardware | str: ...


@record
class Offer:
    """What the planner asks of a target: its machines, the add-ons that resources of a kind need there, the kinds that
    stand apart from its cluster, and the class of gateways that its add-ons bring.

    Where the cluster is there anyway, nothing stands apart from it, and the classes that it has are its own.
    """

    choose: Hardwarer
    addons: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict[Kind, tuple[str, ...]])
    apart: frozenset[Kind] = frozenset()
    gateway_class: str = ""


@record
class NodePool:
    """Machines for one compute class, on a placement whose machines are made: what its Pods select and tolerate."""

    compute: str  # class name
    hardware: Hardware

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """In the order in which they are tried; none where the class is elastic."""
        return self.hardware.groups

    @property
    def elastic(self) -> bool:
        """Whether any machine that is big enough will do, the cheapest at that time."""
        return self.hardware.elastic


@record
class Application:
    """One Ray Serve application: a variant of an endpoint, on its hardware."""

    inference: Inference
    variant: Variant
    model: Model
    hardware: Hardware
    route_prefix: str


@record
class ModelServer:
    """One Ray cluster that serves: one variant, or all the members of a pool."""

    applications: tuple[Application, ...]
    pool: str = ""


@record
class Backend:
    """Where a share of a route's traffic goes: the name of a MODEL_SERVER resource."""

    server: str
    variant: str
    percent: int


@record
class Route:
    """An endpoint as clients see it."""

    inference: Inference
    backends: tuple[Backend, ...]
    mirror: Backend | None

    @property
    def needs_gateway(self) -> bool:
        """Whether a Service is not enough: clients from outside, traffic that is split, copied or moved in steps."""
        split = len(self.backends) > 1 or self.mirror is not None or self.inference.rollout.strategy == "incremental"
        return split or self.inference.endpoint.exposure != "cluster"


@record
class Job:
    """A pipeline: one Ray cluster a run, a group of workers for each step's hardware."""

    pipeline: Pipeline
    model: Model | None
    hardware: Mapping[str, Hardware]  # by step
    bundles: tuple[str, ...] = ()  # aliases of the model that other placements read: what promotes them writes bundles
    checkpoints: tuple[str, str] | None = None  # store and path where steps keep them
    logs: tuple[str, str] | None = None  # store and folder that the logs of its runs are copied to


@record
class MonitorJob:
    """A monitor's run, with what it watches already found. A monitor of type `performance` has none: its rules do
    all of it.
    """

    monitor: Monitor
    hardware: Hardware
    inference: Inference | None
    models: tuple[Model, ...]


@record
class Promoter:
    """What moves the aliases of a registry that runs here: the trainings whose versions it promotes."""

    pipelines: tuple[Pipeline, ...]

    def models(self, system: System) -> tuple[Model, ...]:
        """The models of these trainings, each once."""
        names = dict.fromkeys(one.model.model for one in self.pipelines if one.model is not None)
        return tuple(system.models[name] for name in names)


@record
class Access:
    """What an identity may do with one object store: `prefix` and below.

    `read`, `write` (which includes read and delete), or `append`: new objects, none read and none deleted.
    """

    store: str
    prefix: str
    mode: str


@record
class Identity:
    """A workload's own identity with exactly what it names. `api` says why it talks to the cluster's API, empty if not.

    A pipeline that is started by time or by hand has a second one, `<name>-launcher`, which may create its runs and
    nothing else. The variants of an endpoint share one, and so do the members of a pool.
    """

    workload: str
    access: tuple[Access, ...]
    secrets: tuple[SecretRef, ...]
    api: str  # "" autoscaler launcher trigger (a monitor that starts a pipeline)


@record
class AlertRules:
    """Alerts of one endpoint's SLO, of one monitor, of the runs of one pipeline, or of the registry that runs here."""

    inference: Inference | None = None
    monitor: Monitor | None = None
    pipeline: Pipeline | None = None
    registry: RegistryServer | None = None


@record
class Secret:
    """A secret and who reads it, as `section.name`: workloads, stores, channels, or `deployment.<target>`."""

    ref: SecretRef
    workloads: tuple[str, ...]


@record
class Cluster:
    """A cluster and the add-ons that this system asks of it, by the names that `present` uses.

    Objects of an add-on's own kinds (PodMonitor, ExternalSecret …) may only be made where it is named here.
    """

    target: TargetSpec
    addons: tuple[str, ...]  # needed; those in target.present are not installed


@record
class Namespace:
    """A namespace of the system's own."""

    target: TargetSpec


@record
class RegistryServer:
    """The registry, with the database and the store that it runs on where it runs here."""

    registry: Registry
    database: Store | None
    artifacts: Store | None


Payload: TypeAlias = (
    Cluster
    | NodePool
    | Namespace
    | Store
    | RegistryServer
    | Secret
    | Identity
    | ModelServer
    | Route
    | Job
    | MonitorJob
    | Promoter
    | AlertRules
    | Channel
    | Inference
)
"""What a resource's `value` holds. DASHBOARD: the Inference it shows."""


@record
class Resource:
    """A vertex: `address` is `<kind>/<name>`, unique within its placement.

    `name` is what the main object of this resource is called on its platform: at most 47 characters of a DNS label,
    no two workloads of a placement alike, and after a rename (`moved`) still the old one.
    """

    kind: Kind
    name: str
    placement: str  # a target's name
    origin: Path  # the line of the spec that asked for it
    workload: str  # section.name that it belongs to, `pool.<name>`, `registry`; empty for what all share
    value: Payload

    @property
    def address(self) -> str:
        """`<kind>/<name>`: unique within the placement."""
        return f"{self.kind}/{self.name}"

    @property
    def place(self) -> str:
        """`<placement>:<kind>/<name>`: unique within the plan; what links are made of."""
        return f"{self.placement}:{self.kind}/{self.name}"


@record
class Link:
    """An edge: `source` calls or reads `sink` (addresses with placements), over a protocol and port."""

    source: str  # placement:kind/name
    sink: str
    what: str  # registry artifacts data capture database requests metrics secret trigger
    protocol: str = ""
    port: int = 0

    @property
    def ends(self) -> tuple[str, str]:
        """The placements of the source and of the sink."""
        return self.source.partition(":")[0], self.sink.partition(":")[0]


@record
class Plan:
    """Everything that will exist, in an order in which it can be made."""

    system: System
    resources: tuple[Resource, ...]
    links: tuple[Link, ...]

    def on(self, placement: str) -> tuple[Resource, ...]:
        """The resources of one target, in order."""
        return tuple(resource for resource in self.resources if resource.placement == placement)

    def crossings(self, placement: str = "") -> tuple[Link, ...]:
        """The links between two targets, in order; with a placement, those of which one end lies there.

        A registry that is adopted by its URL lies on no target.
        """
        adopted = self.system.registry is not None and bool(self.system.registry.adopt)
        return tuple(
            link
            for link in self.links
            if link.ends[0] != link.ends[1]
            and (not placement or placement in link.ends)
            and not (adopted and link.what == "registry")
        )

    def bundled(self, placement: str) -> bool:
        """Whether models reach this target as bundles."""
        return bundled_on(self.system, placement)

    def has_cluster(self, placement: str) -> bool:
        """Whether there is a cluster on a target: not where it only holds what stands apart from one."""
        return any(isinstance(one.value, Cluster) for one in self.on(placement))

    def placements(self) -> tuple[str, ...]:
        """The targets that something is placed on, in the order of their names."""
        used = {resource.placement for resource in self.resources}
        return tuple(target.name for target in self.system.deployment.targets if target.name in used)


def bundled_on(system: System, placement: str) -> bool:
    """Whether models reach a placement as bundles: their registry runs on another target, and is not opened across."""
    registry = system.registry
    return registry is not None and not registry.adopt and system.deployment.placement.registry != placement


def bucket_expires(system: System, capture: Capture) -> bool:
    """Whether a rule of the bucket deletes captures by their age, so that no workload has to: in each one made here."""
    return not system.stores[capture.store].adopt


def expiries(system: System, store: Store) -> dict[str, int]:
    """The captures and logs that a bucket deletes by itself: days by folder, in whole days and never too few."""
    days: dict[str, int] = {}
    registry = system.registry
    if registry is not None and registry.artifacts == store.name and not store.adopt and system.pipelines:
        days[_logs_path(registry)] = LOG_DAYS
    for inference in system.inference.values():
        capture = inference.capture
        if capture is not None and capture.store == store.name and capture.retain_s is not None and not store.adopt:
            kept = -(-capture.retain_s // _DAY_S)
            folder = capture.path.rstrip("/")
            days[folder] = min(kept, days.get(folder, kept))
    return days


def model_path(artifact_path: str, registered_name: str) -> str:
    """The folder of a model in the store of artifacts: its runs write there, and those that use it read there."""
    return f"{artifact_path.rstrip('/')}/models/{registered_name}/"


def reports_gate(pipeline: Pipeline, system: System) -> bool:
    """Whether it is reported what the gate made of a training's versions: alerts go to the owner's on-call channel."""
    model = None if pipeline.model is None else system.models[pipeline.model.model]
    gate = (model is not None and (model.validation or model.stages)) or system.governance.approve_promotion is not None
    return pipeline.type == "training" and bool(gate) and bool(system.governance.owner.oncall)


def reports_files(job: Job, system: System) -> bool:
    """Whether a run reports how many files of its inputs do not fit, which built-in scoring leaves out."""
    scored = [step for scoring in scorings_of(job.pipeline) for step in scoring.steps]
    built_in = bool(scored) and not any(step.source.entrypoint for step in scored)
    return built_in and bool(system.governance.owner.oncall)


def reports(job: Job, system: System) -> bool:
    """Whether a run pushes metrics of its own."""
    return reports_gate(job.pipeline, system) or reports_files(job, system)


def log_place(system: System, pipeline: Pipeline) -> tuple[str, str] | None:
    """Where the logs of a pipeline's runs are kept: the store of the registry's artifacts, and a folder in it.

    None where the registry is adopted, whose store is not known here, or runs on another target.
    """
    registry = system.registry
    if registry is None or registry.adopt or system.deployment.placement.registry != pipeline.target:
        return None
    return registry.artifacts, f"{_logs_path(registry)}/{pipeline.name}"


def _logs_path(registry: Registry) -> str:
    return f"{registry.artifact_path.rstrip('/')}/logs"


def bundle_path(artifact_path: str, registered_name: str, alias: str) -> str:
    """Where the bundle of a model lies in the store of artifacts; nothing else is below it."""
    return f"{artifact_path.rstrip('/')}/bundles/{registered_name}/{alias}/"


def cluster_service(uri: str) -> tuple[str, str] | None:
    """Name and namespace of a Service, where a URL's host is one: `mlflow.ml.svc.cluster.local` is ("mlflow", "ml")."""
    try:
        labels = (urlsplit(uri).hostname or "").split(".")
    except ValueError:  # half an IPv6 address: whoever opens the URL says so
        return None
    return (labels[0], labels[1]) if len(labels) >= 3 and labels[2] == "svc" else None
