"""A system on the user's own cluster with one object store, which migrations move elsewhere."""

from __future__ import annotations


def lake_at(endpoint: str, *, adopt: str = "") -> str:
    """Return the spec with the store at the given URL, and optionally with the bucket that it adopts."""
    store = f'{{type: object, endpoint: "{endpoint}", credentials: "secret://kubernetes/lake"}}'
    return _SPEC.replace("STORE", store.replace("object,", f"object, adopt: {adopt},") if adopt else store)


_SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: lake}
governance: {owner: {team: growth, email: growth@acme.example}}
deployment: {mode: on-prem, provider: kubernetes, context: plant, capacity: [{count: 2, cpu: 8, memory: 32Gi}]}
stores:
  lake: STORE
data: {visits: {store: lake, path: visits, format: parquet}, months: {store: lake, path: months, format: parquet}}
pipelines:
  clean:
    type: custom
    inputs: [visits]
    output: months
    source: {image: "registry.acme.example/clean:1.0.0", entrypoint: "clean:run"}
    compute: {cpu: 1, memory: 2Gi}
"""
