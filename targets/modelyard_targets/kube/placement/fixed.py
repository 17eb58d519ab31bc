"""Names and ports that no spec decides: what is checked goes by them as well as what is made."""

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
"""Where Ray Serve answers, on every Pod."""

REGISTRY_NAME: Final = "mlflow"
"""The registry's Service, its Pods' label and its chart."""

ADMIN_SECRET: Final = f"{REGISTRY_NAME}-admin"
"""The administrator's login, and the key of the server's sessions: no workload mounts it."""

LOGIN_SECRET: Final = f"{REGISTRY_NAME}-login."
"""Before the identity of a workload: its login; the dot keeps it apart from the administrator's."""

GRAFANA_SECRET: Final = "grafana-admin"
"""The login of Grafana's administrator."""

EVERY_MINUTES: Final = 3
"""How often the promoter looks whether an alias may move, and a starter whether it is asked for a run."""

MONITOR_COMPONENT: Final = "monitor"
PIPELINE_COMPONENT: Final = "pipeline"
PROMOTER_COMPONENT: Final = "promoter"
"""The component labels of what Prometheus takes pushed metrics from."""

STORAGE_POLICY: Final = "allow-object-storage"
"""The network policy that opens a cloud's object storage."""

BUCKET_NAME: Final = "store"
"""What the Job that makes a bucket is called, before the store's name; its component too."""

LOGIN_NAME: Final = "login"
"""What the Jobs that keep the login of a cloud's database are called, before the store's name; their component too."""
