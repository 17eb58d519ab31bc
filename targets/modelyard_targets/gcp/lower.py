"""Lower a plan to the Pulumi projects for one Google Cloud project: infrastructure first, then workloads."""

from __future__ import annotations

from typing import Final

from modelyard_targets.cloud.lower import Cloud
from modelyard_targets.gcp.infrastructure import calls_of, infrastructure_of
from modelyard_targets.gcp.platform import context_of
from modelyard_targets.gcp.readme import stores_texts_of, texts_of

_CLOUD: Final = Cloud(
    context=context_of,
    infrastructure=infrastructure_of,
    components=calls_of,
    texts=texts_of,
    stores_texts=stores_texts_of,
)

lower = _CLOUD.lower
objects = _CLOUD.objects
calls = _CLOUD.calls
