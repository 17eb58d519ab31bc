"""Generates specs of any size. Each model comes with a dataset, a training pipeline, an endpoint and a monitor."""

from __future__ import annotations

_HEAD = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: large}
governance:
  owner: {team: platform, email: platform@acme.example, oncall: oncall}
channels:
  oncall: {type: pagerduty, key: "secret://vault/pagerduty#platform"}
compute:
  small:
    cpu: 2
    memory: 8Gi
"""

ON_PREM = """\
deployment:
  mode: on-prem
  targets:
    main:
      provider: kubernetes
      context: large
      present: [kuberay, prometheus, external-secrets]
      secretStores: {vault: {via: external-secrets, store: vault}}
stores:
  lake: {type: object, adopt: acme-lake, endpoint: "https://s3.acme.example", credentials: "secret://vault/lake"}
registry: {adopt: "https://mlflow.acme.example", credentials: "secret://vault/mlflow"}
"""

HYBRID = """\
deployment:
  mode: hybrid
  targets:
    main:
      provider: aws
      region: eu-central-1
      account: "123456789012"
      secretStores: {vault: {via: secrets-manager}}
    site:
      provider: kubernetes
      context: large
      present: [kuberay, prometheus, external-secrets]
      secretStores: {vault: {via: external-secrets, store: vault}}
  placement: {default: main, inference: site, monitors: site}
stores:
  lake: {type: object}
  meta: {type: database}
registry: {database: meta, artifacts: lake}
"""

_PARTS = {
    "data": """\
  d{0}:
    store: lake
    path: features/d{0}/
    format: parquet
    description: Features of segment {0}.
    schema:
      at: timestamp
      amount: number
      count: integer
      label: boolean
    features:
      - amount
      - count
    label: label
    timestamp: at
""",
    "models": """\
  m{0}:
    task: binary-classification
    framework: xgboost
    card:
      purpose: Ranks customers of segment {0}.
      limitations: Not for other segments.
      contact: platform@acme.example
    validation:
      auc:
        metric: auc_roc
        min: 0.8
      better:
        metric: auc_roc
        versus: champion
        minDelta: 0.001
""",
    "pipelines": """\
  p{0}:
    type: training
    model: m{0}
    inputs:
      - d{0}
    compute: small
    workers:
      min: 1
      max: 2
    schedule:
      cron: "0 3 * * 0"
      timeZone: Europe/Berlin
    timeout: 6h
    retries: 2
    parameters:
      learning_rate: 0.1
      max_depth: {1}
""",
    "inference": """\
  e{0}:
    variants:
      champion:
        model: m{0}@champion
    compute: small
    replicas:
      min: 1
      max: 4
    scaling:
      metric: ongoing-requests
      target: 8
    slo:
      p99: 80ms
      availability: 99.9%
    capture:
      sample: 10%
      store: lake
      retain: 90d
""",
    "monitors": """\
  w{0}:
    type: data-drift
    watch: inference.e{0}
    reference:
      data: d{0}
      window: 30d
    window: 1d
    checks:
      psi:
        max: 0.2
    onBreach:
      notify:
        - oncall
""",
}


def system(models: int, changed: int = -1, where: str = ON_PREM) -> str:
    """Return a spec with the given number of models. `where` is the text of its deployment section.

    The pipeline at index `changed` has a different parameter.
    """
    sections = (
        f"{section}:\n" + "".join(part.format(at, 7 if at == changed else 6) for at in range(models))
        for section, part in _PARTS.items()
    )
    return _HEAD + where + "".join(sections)
