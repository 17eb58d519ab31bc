"""Fixed names and ports that checks and lowering share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PORTS: Final[Mapping[str, int]] = {
    "gcs-server": 6379,
    "dashboard": 8265,
    "client": 10001,
    "metrics": 8080,
    "as-metrics": 44217,
    "dash-metrics": 44227,
}
"""Ports of a Ray head."""

SERVE_PORT: Final = 8000
"""The Ray Serve port on every Pod."""

REGISTRY_NAME: Final = "mlflow"
"""The name of the registry's Service, and the value of the name label on its Pods."""

ADMIN_SECRET: Final = f"{REGISTRY_NAME}-admin"
"""The Secret with the administrator's login and the server's session key. No workload mounts it."""

LOGIN_SECRET: Final = f"{REGISTRY_NAME}-login."
"""Name prefix of Secrets with workloads' logins. The dot avoids a collision with the administrator's Secret."""

GRAFANA_SECRET: Final = "grafana-admin"
"""The Secret with the Grafana administrator's login."""

EVERY_MINUTES: Final = 3
"""The polling interval of promoter and starter in minutes."""

MONITOR_COMPONENT: Final = "monitor"
PIPELINE_COMPONENT: Final = "pipeline"
PROMOTER_COMPONENT: Final = "promoter"
"""Component label of promoter Pods. Pods with this label or one of the two labels above push metrics to Prometheus."""

STORAGE_POLICY: Final = "allow-object-storage"
"""The name of the network policy for a cloud's object storage."""

BUCKET_NAME: Final = "store"
"""Component label and name prefix of Jobs that create buckets."""

LOGIN_NAME: Final = "login"
"""Component label and name prefix of Jobs for a cloud database's login."""
