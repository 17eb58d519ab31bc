"""Workloads in a cluster: servers, routes, jobs, monitors, the promoter and starters."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.plan.hardware import Hardware
from modelyard.plan.places import reports_gate
from modelyard.records import field, record
from modelyard.spec import Inference, Model, Monitor, Pipeline, System, Variant
from modelyard.spec.scoring import scorings_of


@record
class Application:
    """A Ray Serve application: one variant of an endpoint, with its hardware.

    While the variant has no version, `stand_in` is the variant whose version it serves.
    """

    inference: Inference
    variant: Variant
    model: Model
    hardware: Hardware
    route_prefix: str
    stand_in: Variant | None = None


@record
class ModelServer:
    """A Ray cluster that serves a single variant or all members of a pool."""

    applications: tuple[Application, ...]
    pool: str = ""

    @property
    def scales(self) -> bool:
        """Whether the cluster needs Ray's autoscaler, because a variant scales or the rollout is incremental."""
        incremental = self.applications[0].inference.rollout.strategy == "incremental"
        bounds = (application.variant.replicas for application in self.applications)
        return incremental or any(replicas.minimum < replicas.maximum for replicas in bounds)


@record
class Backend:
    """A backend that gets a share of a route's traffic: a variant, and the name of its MODEL_SERVER resource."""

    server: str
    variant: str
    percent: int


@record
class Route:
    """An endpoint as its clients see it: one address, whose traffic is split between backends."""

    inference: Inference
    backends: tuple[Backend, ...]
    mirror: Backend | None

    @property
    def needs_gateway(self) -> bool:
        """Whether a Gateway is needed: for external clients, or to split, mirror or gradually shift traffic."""
        split = len(self.backends) > 1 or self.mirror is not None or self.inference.rollout.strategy == "incremental"
        return split or self.inference.endpoint.exposure != "cluster"


@record
class Job:
    """A pipeline: one Ray cluster per run, with a worker group for each step's hardware."""

    pipeline: Pipeline
    model: Model | None
    hardware: Mapping[str, Hardware]  # by step
    bundles: tuple[str, ...] = ()  # aliases of models that other placements read; promotions write bundles for them
    checkpoints: tuple[str, str] | None = None  # store and path of checkpoints
    logs: tuple[str, str] | None = None  # store and folder for copies of run logs


@record
class RunRequest:
    """How a monitor starts a pipeline on another target, using two folders in a store that both targets can access.

    The monitor adds requests to one folder, and a starter on the pipeline's target writes responses to the other.
    """

    monitor: Monitor
    name: str  # name of the monitor's objects
    pipeline: Pipeline
    store: str
    asked: str
    answered: str


@record
class MonitorJob:
    """The job for a monitor's runs, with the endpoint and the models that the monitor watches.

    Monitors of type `performance` consist of alert rules and have no runs.
    """

    monitor: Monitor
    hardware: Hardware
    inference: Inference | None
    models: tuple[Model, ...]
    request: RunRequest | None = None  # how the monitor starts a pipeline on another target


@record
class Promoter:
    """A job that moves aliases in our own registry, for the given pipelines' models and for imported models."""

    pipelines: tuple[Pipeline, ...]
    imported: tuple[Model, ...] = ()
    bundles: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The aliases of imported models that other targets read, by the model's registered name."""

    def models(self, system: System) -> tuple[Model, ...]:
        """Return the models that the promoter's pipelines train and the imported models, without duplicates."""
        trained = (pipeline.model.model for pipeline in self.pipelines if pipeline.model is not None)
        names = dict.fromkeys((*trained, *(model.name for model in self.imported)))
        return tuple(system.models[name] for name in names)

    def reports(self, system: System) -> bool:
        """Return whether the promoter needs Prometheus, to push metrics for alerts or to read sites' alerts."""
        if any(target.waves is not None for target in system.deployment.targets):
            return True
        on_call = bool(system.governance.owner.oncall)
        return any(reports_gate(pipeline, system) for pipeline in self.pipelines) or (on_call and bool(self.imported))


@record
class Starter:
    """A job that starts pipelines on its target when monitors on other targets request it."""

    requests: tuple[RunRequest, ...]


def reports_files(job: Job, system: System) -> bool:
    """Return whether a pipeline's runs report how many unsuitable input files built-in scoring skipped."""
    scored = [step for scoring in scorings_of(job.pipeline) for step in scoring.steps]
    built_in = bool(scored) and not any(step.source.entrypoint for step in scored)
    return built_in and bool(system.governance.owner.oncall)


def reports(job: Job, system: System) -> bool:
    """Return whether a pipeline's runs push their own metrics."""
    return reports_gate(job.pipeline, system) or reports_files(job, system)
