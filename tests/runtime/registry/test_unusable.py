"""Tests that an unusable registry isn't mistaken for one without a champion, which would let the gate pass."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException

from modelyard_runtime.registry import client as registry
from tests.narrowing import present

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


class _Unusable:
    """Imitates mlflow-skinny when its database driver is missing.

    It fails with the same error code as for a missing alias.
    """

    def get_model_version_by_alias(self, name: str, alias: str) -> object:
        raise UnsupportedModelRegistryStoreURIException("sqlite:///mlflow.db", ["http"])

    def get_model_version(self, name: str, number: str) -> object:
        raise UnsupportedModelRegistryStoreURIException("sqlite:///mlflow.db", ["http"])

    def get_registered_model(self, name: str) -> object:
        raise UnsupportedModelRegistryStoreURIException("sqlite:///mlflow.db", ["http"])


def test_an_unsupported_database_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_client", _Unusable)

    with pytest.raises(UnsupportedModelRegistryStoreURIException) as unusable:
        registry.version_at("churn", "champion")
    assert unusable.value.error_code == "INVALID_PARAMETER_VALUE"
    with pytest.raises(UnsupportedModelRegistryStoreURIException):
        registry.version_if_any("churn", "1")


def test_a_missing_model_alias_or_version_is_none(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    assert registry.version_at("churn", "champion") is None
    assert registry.version_if_any("churn", "1") is None

    client = mlflow.MlflowClient()
    client.create_registered_model("churn")
    assert registry.version_at("churn", "champion") is None
    assert registry.version_if_any("churn", "1") is None

    client.create_model_version("churn", (tmp_path / "model").as_uri())
    client.set_registered_model_alias("churn", "champion", "1")
    assert present(registry.version_at("churn", "champion")).version == "1"
    assert present(registry.version_if_any("churn", "1")).version == "1"
    assert registry.version_if_any("churn", "2") is None
