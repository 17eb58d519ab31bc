"""Monitors, and notification channels for alerts."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec.needs import Check
from modelyard.spec.pipelines import Schedule
from modelyard.spec.references import SecretRef

OF_PREDICTIONS = frozenset({"prediction-drift", "prediction-quality", "concept-drift"})
"""Monitor types that evaluate predictions."""

PREDICTED = frozenset({"prediction", "score"})
"""The columns that a monitor of prediction drift compares (runtime/modelyard_runtime/monitoring/measures.py)."""

RULES_ONLY = frozenset({"performance"})
"""Monitor types that consist of alert rules on an endpoint's metrics, without a job."""


@record
class Reference:
    """What a monitor compares data with, either a window of a dataset or the model's training data."""

    data: str = ""  # if empty, the training data stored with the model
    window_s: int | None = None


@record
class OnBreach:
    """What a failed check triggers: notifications and, at most once per cooldown, a run or a rollback."""

    notify: tuple[str, ...] = ()  # channels
    run: str = ""  # a pipeline's name
    rollback: bool = False  # move the watched model's alias back to the previous version
    cooldown_s: int = 86400


@record
class Monitor:
    """A monitor, with the resource it watches, its checks and time window, and what a breach triggers."""

    name: str
    type: str  # data-drift prediction-drift concept-drift prediction-quality performance data-quality
    target: str
    watch: str  # inference.NAME pipelines.NAME data.NAME
    checks: tuple[Check, ...]
    reference: Reference | None
    window_s: int
    schedule: Schedule
    compute: str
    labels: str  # the dataset with late labels, for prediction-quality and concept-drift
    on_breach: OnBreach
    key: tuple[str, ...] = ()  # the columns by which labels are matched; if empty, all columns that both sides have
    coverage: float = 0.5  # the required share of predictions with a label


@record
class Channel:
    """A destination for alerts."""

    name: str
    type: str  # slack pagerduty email webhook
    secret: SecretRef | None  # slack/webhook URL, pagerduty routing key, smtp password
    room: str = ""  # slack channel
    to: str = ""  # email
    sender: str = ""
    smarthost: str = ""  # host:port of the mail server
    username: str = ""
    severities: tuple[str, ...] = ("page", "ticket")
