"""Tests attacks that use a workload's login to move aliases, gain permissions, or forge the history."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import mlflow
import pytest

from modelyard_runtime.promotion import aliases
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.promotion.history import APPROVE, BY_HAND, PROMOTE, History, Move
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.workload.records import Model, PromoterWorkload
from tests.runtime.attack.attacked import EVIL, NAMED, ROUTES, Yard, denied
from tests.runtime.described import completed, record
from tests.runtime.registries import (
    ADMIN,
    EXPERIMENT,
    HISTORY,
    MODEL,
    PROMOTER,
    TRAINER,
)

# raised by the MLflow server's libraries, and by MLflow for models without an example
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore:starlette"
)


def test_alias_cannot_be_moved_by_any_route(yard: Yard, harmless: Callable[[], None]) -> None:
    """No route can move the alias, including old API versions, odd path spellings and HTTP method overrides."""
    evil = yard.train(EVIL)
    body = {"name": MODEL, "alias": "champion", "version": evil.version, "new_name": "another"}

    statuses = {(method, path): yard.asks(method, path, body) for method, path in ROUTES}
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "X-Original-URL": ROUTES[0][1]}
    statuses["GET", "override"] = yard.asks("GET", ROUTES[0][1], body, **override)

    assert set(statuses.values()) <= {308, 400, 401, 403, 404, 405, 500}
    assert statuses["POST", "/api/2.0/mlflow/registered-models/alias"] == 403
    assert statuses["POST", "/ajax-api/2.0/mlflow/registered-models/alias"] == 403
    log = (yard.server.folder / "log").read_text()
    assert f"{TRAINER} was denied POST /api/2.0/mlflow/registered-models/alias" in log
    harmless()


def test_alias_cannot_be_moved_by_graphql(yard: Yard, harmless: Callable[[], None]) -> None:
    evil = yard.train(EVIL)
    arguments = f'(input: {{name: "{MODEL}", alias: "champion", version: "{evil.version}"}})'

    for name in ("mlflowSetRegisteredModelAlias", "setRegisteredModelAlias"):
        yard.asks("POST", "/graphql", {"query": f"mutation {{ {name}{arguments} {{ apiError {{ code }} }} }}"})

    harmless()


def test_failing_store_does_not_delay_other_pipelines(
    yard: Yard, good: registry.Version, caplog: pytest.LogCaptureFixture
) -> None:
    """Versions outside the registry's store are skipped. A client for that store would retry for two minutes."""
    approvals = {tag: content for tag, content in good.tags.items() if tag.startswith("modelyard.")}
    mlflow.MlflowClient().create_model_version(MODEL, "gs://nowhere.invalid/model", tags=approvals)
    other = {**yard.pipeline, "promoteTo": "second"}
    content = {**yard.workload, "promotions": {"retrain": yard.pipeline, "other": other}}
    (yard.folder / "promoter.json").write_text(json.dumps(completed(PromoterWorkload, content)))

    assert yard.look() == 1  # no traceback
    assert "has its files at gs://nowhere.invalid/model, outside the registry's store" in caplog.text


def test_login_cannot_grant_itself_permissions(yard: Yard, harmless: Callable[[], None]) -> None:
    """A login can't change users, roles, admin rights, or permissions on registered models and experiments."""
    evil, client = yard.train(EVIL), mlflow.MlflowClient()
    history, to_itself = yard.id_of(HISTORY), {"username": TRAINER, "permission": "MANAGE"}
    rights: list[tuple[str, str, Mapping[str, object]]] = [
        ("POST", "users/create", {"username": "workload.promoter2", "password": "a long password"}),
        ("PATCH", "users/update-admin", {"username": TRAINER, "is_admin": True}),
        ("PATCH", "users/update-password", {"username": PROMOTER, "password": "a long password"}),
        ("DELETE", "users/delete", {"username": PROMOTER}),
        ("POST", "roles/create", {"name": "mover", "workspace": "default"}),
        ("POST", "roles/assign", {"username": TRAINER, "role_id": 1}),
        ("POST", "roles/permissions/add", {"role_id": 1, "resource_type": "registered_model", "permission": "MANAGE"}),
        ("POST", "experiments/permissions/create", {"experiment_id": history, **to_itself}),
        ("POST", "registered-models/permissions/create", {"name": MODEL, **to_itself}),
        ("PATCH", "registered-models/permissions/update", {"name": MODEL, **to_itself}),
    ]

    for version in ("2.0", "3.0"):
        for method, path, body in rights:
            for prefix in ("api", "ajax-api"):
                assert yard.asks(method, f"/{prefix}/{version}/mlflow/{path}", body) in {400, 403, 404, 405}, path

    denied(lambda: client.set_registered_model_alias(MODEL, "champion", evil.version))
    denied(lambda: client.create_run(history))
    denied(lambda: client.delete_registered_model(MODEL))
    harmless()


def test_server_files_cannot_be_accessed_through_a_run(yard: Yard, harmless: Callable[[], None]) -> None:
    """Experiments can't point to the server's disk, which holds all users' passwords."""
    client = mlflow.MlflowClient()
    denied(lambda: client.create_experiment("mine", f"file://{yard.server.logins}"))
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run() as run:
        mlflow.log_text("a", "a.txt")
    for path in (f"../../../../logins/{PROMOTER}", f"/{yard.server.logins}/{PROMOTER}", f"%2e%2e/%2e%2e/{PROMOTER}"):
        for route in ("/get-artifact", "/ajax-api/2.0/mlflow/upload-artifact"):
            method = "GET" if route == "/get-artifact" else "POST"
            where = f"{route}?run_uuid={run.info.run_id}&run_id={run.info.run_id}&path={path}"
            assert yard.asks(method, where, "a") in {400, 403, 404, 500}, where

    assert (yard.server.logins / PROMOTER).read_text() == f"the password of {PROMOTER}\n"
    harmless()


def test_administrators_move_is_recorded_with_its_digest(yard: Yard, good: registry.Version) -> None:
    """An admin's move is recorded, but servers follow it only once both groups have approved the files."""
    version = yard.train("chosen by hand")
    yard.connect(ADMIN)
    registry.set_alias(MODEL, "champion", version.version)
    assert "no record shows that 'champion' points to it" in yard.served()

    yard.look()
    assert yard.moves()[-1] == (BY_HAND, version.version)
    assert "its record lacks 2 approval(s) of risk, payments" in yard.served()

    yard.connect(ADMIN)
    for signer in (yard.risk, yard.payments):
        signer.approve(version, yard.about(version.tags[DIGEST_TAG]))
    yard.look()
    assert yard.moves()[-2:] == [(BY_HAND, version.version), (APPROVE, version.version)]
    assert yard.served() == "chosen by hand"

    yard.connect(TRAINER)
    yard.swap(version)
    registry.tag(version, {DIGEST_TAG: digest_of(version.uri)})
    yard.look()
    assert "is not loaded: its files hash to" in yard.served()
    assert yard.moves()[-1] == (APPROVE, version.version)


@pytest.mark.parametrize("borrowed", [False, True])
def test_history_forged_with_the_promoters_login_is_rejected(
    yard: Yard, good: registry.Version, borrowed: bool
) -> None:
    """Servers verify approval signatures themselves and reject signatures made for another version."""
    evil = yard.train(EVIL)
    yard.connect(PROMOTER)
    history = History(record(Model, NAMED))
    evidence = history.moves("champion")[-1].evidence if borrowed else {}
    aliases.promote(
        history,
        Move("champion", PROMOTE, evil.version, "", "promoter", "forged", evil.tags[DIGEST_TAG], evidence=evidence),
    )

    assert "its record lacks 2 approval(s)" in yard.served()
    yard.look()
    assert "its record lacks 2 approval(s)" in yard.served()


def test_missing_and_guessed_logins_are_rejected(yard: Yard, harmless: Callable[[], None]) -> None:
    evil = yard.train(EVIL)
    body = {"name": MODEL, "alias": "champion", "version": evil.version}
    for user in ("", "Workload.promoter", "workload.promoter ", "workload.promoter\u0000"):
        assert yard.asks("POST", "/api/2.0/mlflow/registered-models/alias", body, user=user) == 401

    harmless()
