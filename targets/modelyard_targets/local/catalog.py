"""How this machine implements each resource kind. Supported kinds are marked `apart` since there is no cluster."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Kind
from modelyard.target import Catalog, Component, Impossible

_NO_CLUSTER: Final = "there is no cluster on this machine; place the workload on a target with `provider: kubernetes`"

CATALOG: Final[Catalog] = {
    Kind.CLUSTER: Impossible(_NO_CLUSTER),
    Kind.SYSTEM_POOL: Impossible(_NO_CLUSTER),
    Kind.NODE_POOL: Impossible(_NO_CLUSTER),
    Kind.NAMESPACE: Impossible(_NO_CLUSTER),
    Kind.OBJECT_STORE: Component("a folder", apart=True),
    Kind.DATABASE: Component("an SQLite file", apart=True),
    Kind.REGISTRY: Component("MLflow on a port of this machine, with SQLite and files; or an adopted one", apart=True),
    Kind.SECRET: Impossible("there is no secret store on this machine; omit the secret in this environment"),
    Kind.IDENTITY: Component("the user who runs the system", apart=True),
    Kind.MODEL_SERVER: Component("Serve applications on the one local Ray", apart=True),
    Kind.ENDPOINT: Component("a router on a port of this machine, with weights and a mirror", apart=True),
    Kind.TRAINING_JOB: Component("a process that runs its steps on the one local Ray", apart=True),
    Kind.BATCH_JOB: Component("a process that runs its steps on the one local Ray", apart=True),
    Kind.CUSTOM_JOB: Component("a process that runs its steps on the one local Ray", apart=True),
    Kind.MONITOR: Component("a process", apart=True),
    Kind.PROMOTER: Component("a process that moves aliases after each training", apart=True),
    Kind.STARTER: Impossible("all monitors and pipelines run on this machine"),
    Kind.ALERT_RULES: Component("lines in the output with the monitors' findings", apart=True),
    Kind.DASHBOARD: Component("nothing, because there is no Prometheus", apart=True),
    Kind.CHANNEL: Component("the output; nothing is sent", apart=True),
}
