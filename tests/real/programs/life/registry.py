"""What an administrator of MLflow does with a model: `show` it, or `approve` a version for a group."""

from __future__ import annotations

import base64
import json
import os
import sys

from mlflow import MlflowClient

address, user, password, model, verb, *more = sys.argv[1:]
os.environ["MLFLOW_TRACKING_USERNAME"] = base64.b64decode(user).decode()
os.environ["MLFLOW_TRACKING_PASSWORD"] = base64.b64decode(password).decode()
client = MlflowClient(address, registry_uri=address)
if verb == "approve":
    group, number = more
    digest = client.get_model_version(model, number).tags["modelyard.digest"]
    client.set_model_version_tag(model, number, f"modelyard.approval.{group}", digest)
versions = [one.version for one in client.search_model_versions(f"name = '{model}'")]
print(json.dumps({"versions": sorted(map(str, versions)), "aliases": client.get_registered_model(model).aliases}))
