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
    """One Ray Serve application: a variant of an endpoint, on its hardware."""

    inference: Inference
    variant: Variant
    model: Model
    hardware: Hardware
    route_prefix: str


@record
class ModelServer:
    """One Ray cluster for serving: one variant, or all the members of a pool."""

    applications: tuple[Application, ...]
    pool: str = ""


@record
class Backend:
    """The destination of a share of a route's traffic: the name of a MODEL_SERVER resource."""

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
    """A pipeline: one Ray cluster per run, with a worker group for each step's hardware."""

    pipeline: Pipeline
    model: Model | None
    hardware: Mapping[str, Hardware]  # by step
    bundles: tuple[str, ...] = ()  # aliases of the model that other placements read: promoting them writes bundles
    checkpoints: tuple[str, str] | None = None  # store and path where steps keep them
    logs: tuple[str, str] | None = None  # store and folder to which the logs of its runs are copied


@record
class RunRequest:
    """How a monitor starts a pipeline on another target: through two folders of a store that both can reach.

    The monitor adds requests to one; a starter next to the pipeline answers each in the other.
    """

    monitor: Monitor
    name: str  # of the monitor's objects
    pipeline: Pipeline
    store: str
    asked: str
    answered: str


@record
class MonitorJob:
    """A monitor's run, with the watched resource resolved. A monitor of type `performance` has none: it consists of
    alert rules.
    """

    monitor: Monitor
    hardware: Hardware
    inference: Inference | None
    models: tuple[Model, ...]
    request: RunRequest | None = None  # how it starts its pipeline, if that is on another target


@record
class Promoter:
    """Moves the aliases of a registry that runs here: for the training pipelines whose versions it promotes, and for
    imported models.
    """

    pipelines: tuple[Pipeline, ...]
    imported: tuple[Model, ...] = ()
    bundles: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """For imported models, by registered name: aliases that other placements read. Training has its own."""

    def models(self, system: System) -> tuple[Model, ...]:
        """The models of these trainings and the imported ones, each once."""
        trained = (one.model.model for one in self.pipelines if one.model is not None)
        names = dict.fromkeys((*trained, *(model.name for model in self.imported)))
        return tuple(system.models[name] for name in names)

    def reports(self, system: System) -> bool:
        """Whether it pushes metrics of its own, which alerts to the owner's on-call channel read."""
        on_call = bool(system.governance.owner.oncall)
        return any(reports_gate(one, system) for one in self.pipelines) or (on_call and bool(self.imported))


@record
class Starter:
    """Starts the pipelines of a target that monitors on other targets request."""

    requests: tuple[RunRequest, ...]


def reports_files(job: Job, system: System) -> bool:
    """Whether a run reports how many input files built-in scoring leaves out because they do not fit."""
    scored = [step for scoring in scorings_of(job.pipeline) for step in scoring.steps]
    built_in = bool(scored) and not any(step.source.entrypoint for step in scored)
    return built_in and bool(system.governance.owner.oncall)


def reports(job: Job, system: System) -> bool:
    """Whether a run pushes metrics of its own."""
    return reports_gate(job.pipeline, system) or reports_files(job, system)
