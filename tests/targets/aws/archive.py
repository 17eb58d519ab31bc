"""The spec of an on-premises system that archives data on an AWS target but runs no workloads there."""

from __future__ import annotations

ARCHIVE = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: claims}
governance:
  owner: {team: claims, email: claims@acme.example}
  budget: {monthly: 50 USD, onExceed: block}
deployment:
  mode: hybrid
  targets:
    archive: {provider: aws, region: eu-central-1}
    plant: {provider: kubernetes, context: plant, capacity: [{count: 3, cpu: 8, memory: 32Gi, price: 0 USD}]}
  placement: {default: plant}
registry: {adopt: "http://mlflow.ml.svc:5000"}
stores:
  lake:
    {type: object, target: plant, adopt: claims, endpoint: "http://minio.ml.svc:9000", credentials: "secret://kubernetes/lake"}
  vault: {type: object, target: archive, retention: 3650d}
compute: {small: {cpu: 2, memory: 8Gi}}
data:
  claims: {store: lake, path: claims, format: parquet}
  scores: {store: vault, path: scores, format: parquet}
models: {damage: {task: regression, framework: xgboost}}
pipelines:
  score: {type: batch-inference, model: damage@champion, inputs: [claims], output: scores, compute: small}
"""
