"""Prints a model's versions, aliases and alias history as seen by an MLflow administrator."""

from __future__ import annotations

import json
import sys
from typing import Any

from mlflow import MlflowClient

address, model, history = sys.argv[1:]
client = MlflowClient(address, registry_uri=address)


def moves() -> list[dict[str, Any]]:
    """Return all moves of the model's aliases, oldest first, each with the signers who approved it."""
    experiment = client.get_experiment_by_name(history)
    runs = client.search_runs([experiment.experiment_id], order_by=["start_time ASC"]) if experiment else []
    records = [{key.removeprefix("modelyard.move."): value for key, value in run.data.tags.items()} for run in runs]
    return [
        {
            "action": entry["action"],
            "version": entry["version"],
            "by": sorted(key.partition(".")[2] for key in entry if key.startswith("evidence.")),
        }
        for entry in records
    ]


versions = [model_version.version for model_version in client.search_model_versions(f"name = '{model}'")]
aliases = client.get_registered_model(model).aliases
print(json.dumps({"versions": sorted(map(str, versions)), "aliases": aliases, "moves": moves()}))
