"""Endpoints and their variants."""

from __future__ import annotations

from modelyard.records import record
from modelyard.spec.pipelines import Range, Source
from modelyard.spec.references import ModelRef, SecretRef


@record
class Variant:
    """A model variant of an endpoint, with its own hardware and share of the traffic."""

    name: str
    model: ModelRef
    compute: str
    replicas: Range
    percent: int  # percent of the traffic


@record
class Mirror:
    """The variant that receives copies of requests. Its responses are discarded."""

    variant: str
    percent: int = 100


@record
class Scaling:
    """The load at which replicas are added or removed, and how long it must persist first."""

    target: float  # per replica
    metric: str = "ongoing-requests"  # ongoing-requests ongoing-tokens
    upscale_delay_s: int = 30
    downscale_delay_s: int = 600
    max_queued: int | None = None  # None: derived from how many requests a replica processes at once


@record
class Batching:
    """How requests are combined into one call of the model."""

    max_size: int = 1
    max_wait_ms: int = 10


@record
class Generation:
    """The limits of a language model's replica."""

    max_tokens: int = 1024
    concurrency: int = 8
    context_length: int | None = None  # None: as the model's own configuration has it


@record
class TokenRate:
    """The token rate (tokens per second after the first) that a share of an endpoint's generated texts must reach."""

    minimum: float
    share: float = 0.95


@record
class Slo:
    """An endpoint's objectives over a time window. Alerts fire if the error budget burns too fast."""

    latency_ms: tuple[tuple[float, int], ...] = ()  # (0.99, 50): 99 % of requests within 50 ms
    availability: float | None = None  # 0.9995
    first_token_ms: tuple[tuple[float, int], ...] = ()  # like latency_ms, until the first token of a text
    tokens_per_second: TokenRate | None = None
    window_s: int = 30 * 86400


@record
class Rollout:
    """How new servers replace old ones: all at once (`blue-green`) or by shifting traffic (`incremental`)."""

    strategy: str = "blue-green"  # blue-green incremental in-place
    step_percent: int = 10
    interval_s: int = 60
    max_surge_percent: int = 100


@record
class Capture:
    """Which requests and predictions of an endpoint are stored for monitors, where, and for how long."""

    fraction: float
    store: str
    path: str
    retain_s: int | None
    columns: tuple[str, ...] = ()  # captured model inputs; empty: all
    keys: tuple[str, ...] | None = None  # besides the inputs; None: label columns of the endpoint's monitors
    redact: tuple[str, ...] = ()


@record
class Caller:
    """A caller of an endpoint, the secret holding its tokens, and the secret's path in `auth`."""

    name: str
    token: SecretRef
    field: tuple[str, ...]


@record
class Auth:
    """How callers authenticate."""

    type: str = "none"  # none bearer-token
    callers: tuple[Caller, ...] = ()


@record
class Endpoint:
    """An endpoint's address, and who can reach it."""

    access_log: bool
    exposure: str = "cluster"  # cluster internal public
    host: str = ""
    path: str = "/"
    timeout_s: int = 60
    max_body_bytes: int = 16 * 2**20
    auth: Auth = Auth()
    clients: tuple[str, ...] = ()  # namespaces that may call the endpoint within the cluster


@record
class NamedAdapter:
    """An adapter for an endpoint's language model, and the name requests use to select it."""

    name: str
    model: ModelRef


@record
class Inference:
    """An endpoint that serves models at a single address, along with its objectives."""

    name: str
    target: str
    source: Source
    variants: tuple[Variant, ...]
    mirror: Mirror | None
    scaling: Scaling
    batching: Batching
    slo: Slo | None
    rollout: Rollout
    capture: Capture | None
    endpoint: Endpoint
    pool: str = ""
    priority: str = "normal"  # normal low lowest
    generation: Generation | None = None  # only for language models
    adapters: tuple[NamedAdapter, ...] = ()  # only for language models

    @property
    def scales(self) -> bool:
        """Whether the number of replicas of any variant follows the load."""
        return any(variant.replicas.minimum < variant.replicas.maximum for variant in self.variants)

    @property
    def models(self) -> tuple[ModelRef, ...]:
        """The model versions of all variants and adapters."""
        return (*(variant.model for variant in self.variants), *(adapter.model for adapter in self.adapters))
