"""Pipelines and their steps."""

from __future__ import annotations

from modelyard.records import record
from modelyard.source import Json, Path
from modelyard.spec.references import ModelRef


@record
class Source:
    """User code: an image (default: ours) and an entrypoint `package.module:function` (default: built-in code)."""

    image: str = ""
    entrypoint: str = ""


@record
class Schedule:
    """When a pipeline runs.

    Runs start at given times (`cron`), after a successful run of another pipeline (`after`), on deployment (`once`), or
    when triggered manually or by a monitor (`on-demand`).
    """

    kind: str = "on-demand"  # cron after once on-demand
    cron: str = ""
    time_zone: str = "Etc/UTC"
    overlap: str = "forbid"  # forbid replace allow
    starting_deadline_s: int = 3600
    after: str = ""  # a pipeline


@record
class Range:
    """A range of numbers. Without scaling, the bounds are equal."""

    minimum: int
    maximum: int


@record
class Parameter:
    """A parameter that tuning searches for: one dimension of the search space."""

    name: str
    kind: str  # uniform loguniform int choice
    low: float | None = None
    high: float | None = None
    choices: tuple[Json, ...] = ()


@record
class Tuning:
    """A parameter search: its objective, budget and space."""

    metric: str
    goal: str  # maximize minimize
    trials: int
    parallel: int
    early_stopping: str  # none asha
    space: tuple[Parameter, ...]
    seed: int | None = None


@record
class Split:
    """The held-out training data: a random `fraction` using `seed`, or the newest rows by timestamp."""

    fraction: float = 0.2
    by: str = "random"  # random time
    seed: int = 0
    key: tuple[str, ...] = ()  # columns that identify a row


@record
class Reprocess:
    """Which files batch inference rescores with a new model version: `none`, `all`, or a recent `window`."""

    kind: str = "none"  # none all window
    window_s: int | None = None


@record
class Step:
    """A node in a pipeline's DAG. A pipeline without `steps` has a single step named after it."""

    name: str
    path: Path
    needs: tuple[str, ...]
    source: Source
    trainer: str  # built in: scikit-learn xgboost lightgbm pytorch transformers; empty if there is an entrypoint
    compute: str
    workers: Range
    inputs: tuple[str, ...]
    output: str  # a dataset; empty for none
    parameters: tuple[tuple[str, Json], ...]
    retries: int
    timeout_s: int
    model: ModelRef | None = None  # for a scoring step in a custom pipeline
    batch_size: int = 8192


@record
class Pipeline:
    """A pipeline of steps for training, batch inference, or user code."""

    name: str
    type: str  # training batch-inference custom
    target: str
    model: ModelRef | None
    inputs: tuple[str, ...]
    output: str
    steps: tuple[Step, ...]
    schedule: Schedule
    timeout_s: int
    retries: int
    tuning: Tuning | None = None
    split: Split = Split()
    promote_to: str = ""  # the alias that moves when a version passes the gate
    batch_size: int = 8192
    reprocess: Reprocess = Reprocess()
    priority: str = "normal"  # normal low lowest
