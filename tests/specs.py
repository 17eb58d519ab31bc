"""A valid spec with most sections. Tests modify it and compare the diagnostics or the output."""

from __future__ import annotations

VALID_SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: fraud, description: Scores card payments., labels: {domain: payments}}
profile: {industry: retail, size: small}
governance:
  owner: {team: payments-risk, email: payments-risk@acme.example, oncall: oncall}
  risk: limited
  dataClasses: [pii]
  residency: [eu]
  budget: {monthly: 18000 USD}
  approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}
  approvers:
    model-risk:
      sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um model-risk"]
    payments-risk:
      sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFyecNAqgLLiF78+koOk9wXrLE7s0ehuWPzLX6tn1SFa payments-risk"]
  retention: {captures: 90d, runs: 7d}
deployment:
  mode: on-prem
  targets:
    main:
      provider: kubernetes
      context: frankfurt
      residency: eu
      capacity:
        - {count: 6, cpu: 16, memory: 64Gi, price: 0.40 USD}
        - {count: 2, cpu: 32, memory: 128Gi, accelerators: "L4:1", price: 1.10 USD}
      gateway: {name: edge, namespace: gateways, mirrors: true}
      secretStores: {vault: {via: external-secrets, store: vault}}
  placement: {default: main}
stores:
  lake: {type: object, adopt: acme-fraud-lake, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}
  runs: {type: database}
registry: {database: runs, artifacts: lake}
compute:
  cpu: {cpu: 2, memory: 8Gi}
  train: {cpu: 8, memory: 32Gi, accelerators: ["L4:1", "A10G:1"], capacity: spot-first}
data:
  transactions:
    store: lake
    path: transactions/
    format: parquet
    schema: {amount: number, merchant: string, event_time: timestamp, is_fraud: boolean}
    features: [amount, merchant]
    label: is_fraud
    timestamp: event_time
    classification: pii
  chargebacks: {store: lake, path: chargebacks/, format: parquet, label: is_fraud, delay: 45d, classification: pii,
                schema: {transaction_id: string, is_fraud: boolean}}
  scores: {store: lake, path: scores/, format: parquet, classification: internal, timestamp: event_time}
models:
  fraud-xgb:
    task: binary-classification
    framework: xgboost
    card: {purpose: Ranks card payments by the risk of fraud., limitations: Not for corporate cards.}
    validation:
      auc-pr: {metric: auc_pr, min: 0.82}
      beats-champion: {metric: auc_pr, versus: champion, minDelta: 0.01}
    explainability: {method: shap}
pipelines:
  retrain:
    type: training
    model: fraud-xgb
    inputs: [transactions]
    compute: train
    workers: {min: 1, max: 2}
    schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}
    timeout: 6h
    parameters: {device: cuda}
    tuning:
      objective: {metric: auc_pr, goal: maximize}
      trials: {max: 20, parallel: 2}
      earlyStopping: asha
      space: {learning_rate: {loguniform: [0.001, 0.3]}, max_depth: {int: [3, 12]}}
    split: {fraction: 20%, by: time}
  try-out:
    type: training
    model: fraud-xgb
    inputs: [transactions]
    source: {entrypoint: "fraud.train:main"}
    compute: train
    split: {by: time}
    promoteTo: candidate
  nightly:
    type: batch-inference
    model: fraud-xgb@champion
    inputs: [transactions]
    output: scores
    compute: cpu
    workers: {min: 1, max: 4}
    schedule: {cron: "30 3 * * *"}
  report:
    type: custom
    inputs: [scores]
    compute: cpu
    steps:
      collect: {source: {entrypoint: "fraud.report:collect"}}
      publish: {needs: [collect], source: {entrypoint: "fraud.report:publish"}, timeout: 1h}
inference:
  scorer:
    variants:
      champion: {model: fraud-xgb@champion}
      challenger: {model: fraud-xgb@candidate, replicas: 1}
    traffic: {champion: 95, challenger: 5}
    compute: cpu
    replicas: {min: 2, max: 6}
    scaling: {metric: ongoing-requests, target: 8}
    slo: {p99: 50ms, availability: 99.95%}
    capture: {sample: 20%, store: lake}
    endpoint:
      exposure: internal
      host: scores.acme.example
      auth: {type: bearer-token, token: secret://vault/scorer#token}
monitors:
  drift:
    type: data-drift
    watch: inference.scorer
    reference: {data: transactions, window: 30d}
    window: 1d
    checks: {psi: {max: 0.2}, psi-amount: {metric: psi, max: 0.1, features: [amount], severity: ticket}}
    onBreach: {notify: [oncall], run: pipelines.retrain, cooldown: 3d}
  quality:
    type: prediction-quality
    watch: inference.scorer
    labels: chargebacks
    window: 7d
    schedule: {cron: "0 6 * * 1"}
    checks: {auc_pr: {min: 0.8}}
    onBreach: {notify: [oncall], rollback: true, cooldown: 7d}
channels:
  oncall: {type: pagerduty, key: secret://vault/pagerduty#fraud}
"""


def changed(old: str, new: str, *more: tuple[str, str]) -> str:
    """Return the valid spec with some strings replaced. Each of these strings must occur in the spec."""
    result = VALID_SPEC
    for before, after in ((old, new), *more):
        assert before in result, before
        result = result.replace(before, after, 1)
    return result
