"""Names and ports that do not depend on the spec, shared by checks and lowering."""

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
"""Ports of a Ray cluster's head."""

SERVE_PORT: Final = 8000
"""The port of Ray Serve on every Pod."""

REGISTRY_NAME: Final = "mlflow"
"""The registry's Service, Pod label and chart."""

ADMIN_SECRET: Final = f"{REGISTRY_NAME}-admin"
"""The administrator's login and the server's session key; no workload mounts it."""

LOGIN_SECRET: Final = f"{REGISTRY_NAME}-login."
"""Prefix of a workload's login, before its identity; the dot avoids a collision with the administrator's."""

GRAFANA_SECRET: Final = "grafana-admin"
"""The login of Grafana's administrator."""

EVERY_MINUTES: Final = 3
"""How often the promoter checks whether to move an alias, and a starter whether a run was requested."""

MONITOR_COMPONENT: Final = "monitor"
PIPELINE_COMPONENT: Final = "pipeline"
PROMOTER_COMPONENT: Final = "promoter"
"""Component labels of the Pods that push metrics to Prometheus."""

STORAGE_POLICY: Final = "allow-object-storage"
"""The network policy for a cloud's object storage."""

BUCKET_NAME: Final = "store"
"""The Job that creates a bucket has this name, followed by the store's, and this component."""

LOGIN_NAME: Final = "login"
"""The Jobs for a cloud database's login have this name, followed by the store's, and this component."""
