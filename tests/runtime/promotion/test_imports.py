"""Tests that external models are imported into a real registry and promoted there like any other version."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.sklearn import log_model
from sklearn.linear_model import LogisticRegression

from modelyard_runtime.__main__ import main
from modelyard_runtime.bundles.store import current
from modelyard_runtime.models.loading import Models
from modelyard_runtime.promotion import imports, promoter
from modelyard_runtime.promotion.approvals import subject
from modelyard_runtime.promotion.checks import check_promoter
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.promotion.history import History
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.formats import format_of
from modelyard_runtime.registry.lineage import WORKLOAD_TAG, content_digest
from modelyard_runtime.registry.server import prepare
from modelyard_runtime.storage.filesystem import local
from modelyard_runtime.workload.records import Model, PromoterWorkload, Promotion, Server, Workload
from tests.runtime.described import look_of, record
from tests.runtime.importing import ELSEWHERE, FIRST, NAME, ROWS, SECOND, SERVED, Importing, bought, versions
from tests.runtime.object_store import BUCKET, ObjectStore
from tests.runtime.registries import HISTORY, MODEL, OTHER, PROMOTER, SERVER, TRAINER, Running, started

# raised by the MLflow server's libraries, and by MLflow for models without an example
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore:starlette"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Importing:
    return Importing(tmp_path, monkeypatch)


def test_import_is_registered_once_and_goes_live_when_approved(here: Importing) -> None:
    """An import is registered only once, and its model card names the source and the vendor."""
    assert here.look() == 0
    assert (here.champion(), here.metric(promoter.IMPORT_MISSING), here.metric(promoter.WAITING)) == ("", 0, 1)

    assert here.look() == 0
    assert versions() == {"1": here.promotion["import"]["digest"]}
    here.approve()
    assert here.look() == 0

    assert (here.champion(), here.metric(promoter.WAITING), versions().keys()) == ("1", 0, {"1"})
    assert here.served() == FIRST
    (move,) = History(record(Model, SERVED)).moves("champion")
    assert (move.digest, list(move.evidence)) == (here.promotion["import"]["digest"], ["risk"])
    version = mlflow.MlflowClient().get_model_version(NAME, "1")
    assert version.tags[WORKLOAD_TAG] == "models.triage"
    assert version.tags[imports.FROM_TAG] == f"file://{here.files}"
    card = str(version.description)
    assert "Purpose: Sorts claims." in card
    assert card.endswith(f"Imported from file://{here.files} by system cards.")
    assert "runs code" in card  # the model is a pickle


def test_wrong_digest_is_refused_and_reported(here: Importing, caplog: pytest.LogCaptureFixture) -> None:
    """If the digest is wrong, both digests are logged, the metric is set, and the Job fails."""
    actual = content_digest(here.files)
    here.promotion["import"]["digest"] = "sha256:" + "0" * 64

    assert here.look() == 1
    assert here.metric(promoter.IMPORT_MISSING) == 1
    assert f"hash to {actual}, but the spec names sha256:0000" in caplog.text
    assert (versions(), here.champion()) == ({}, "")


def test_source_swapped_after_the_import_has_no_effect(here: Importing) -> None:
    """Servers load the approved copy in the registry, so not even deleting the source has an effect."""
    here.look()
    here.approve()
    here.look()
    (here.files / "model.pkl").write_bytes(b"import os; os.abort()")

    assert here.look() == 0
    assert (versions().keys(), here.champion(), here.served()) == ({"1"}, "1", FIRST)
    for file in [path for path in here.files.rglob("*") if path.is_file()]:
        file.unlink()
    assert (here.look(), here.served()) == (0, FIRST)


def test_source_swapped_before_the_approval_has_no_effect(here: Importing) -> None:
    """Swapping the source has no effect, because the copy in the registry is what gets approved and served."""
    here.look()
    (here.files / "model.pkl").write_bytes(b"import os; os.abort()")
    here.approve()

    assert here.look() == 0
    assert (versions().keys(), here.champion(), here.served()) == ({"1"}, "1", FIRST)


def test_a_copy_changed_in_the_registry_is_not_promoted(here: Importing) -> None:
    """The approval of an imported version covers its digest, so a copy modified in the registry is not promoted."""
    here.look()
    here.approve()
    (copied,) = [path for path in here.folder.rglob("model.pkl") if here.files not in path.parents]
    copied.write_bytes(b"import os; os.abort()")

    assert here.look() == 1
    assert here.champion() == ""


def test_concurrent_imports_register_at_most_one_version(here: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one version is created, even if two promoters read the files before either registers a version."""
    ready = threading.Barrier(2, timeout=60)

    def together(files: Path) -> str:
        ready.wait()
        return format_of(files)

    for number in range(6):
        files = bought(here.folder / f"bought-{number}", FIRST if number % 2 else SECOND, number=number)
        here.name(uri=f"file://{files}", store="lake", digest=content_digest(files))
        before = len(versions())
        monkeypatch.setattr(imports, "format_of", together)
        importers = [threading.Thread(target=here.bring) for _ in range(2)]
        for importer in importers:
            importer.start()
        for importer in importers:
            importer.join()
        monkeypatch.setattr(imports, "format_of", format_of)

        assert len(versions()) - before <= 1
        here.bring()
        assert len(versions()) - before == 1


def test_import_backs_off_while_another_registers(here: Importing) -> None:
    """The second import waits until the first import has ended."""
    look = {**here.described, "pipeline": here.promotion, "trainedBy": "models.triage"}
    with imports.exclusive_run(look_of(look), {}) as first:
        assert first is not None
        assert "is being imported by another run" in here.bring()
        assert versions() == {}

    assert here.bring().startswith(f"version 1 of {NAME} was imported")


@pytest.mark.parametrize(("minutes", "registered"), [(55, False), (65, True)])
def test_run_of_a_killed_promoter_delays_imports_for_an_hour(here: Importing, minutes: int, registered: bool) -> None:
    """A killed promoter leaves its run open, so other promoters wait an hour before importing."""
    digest = here.promotion["import"]["digest"]
    began = int((datetime.now(UTC) - timedelta(minutes=minutes)).timestamp() * 1000)
    experiment = registry.open_experiment(record(Model, here.promotion["model"]))
    mlflow.MlflowClient().create_run(experiment, start_time=began, tags={imports.RUN_TAG: digest})

    here.bring()
    assert bool(versions()) == registered


def test_spec_switches_to_another_version_and_back(here: Importing) -> None:
    """Each version is served once approved. A version awaiting approval isn't promoted after the spec changes."""
    old, other = dict(here.promotion["import"]), bought(here.folder / "other", SECOND)
    new = {"uri": f"file://{other}", "store": "lake", "digest": content_digest(other)}
    here.look()
    here.name(**new)
    here.look()
    first = registry.version(NAME, "1")
    here.risk.approve(
        first, subject(record(Workload, here.described), record(Promotion, here.promotion), first.tags[DIGEST_TAG])
    )
    here.look()
    assert (len(versions()), here.champion()) == (2, "")

    here.approve()
    here.look()
    assert (here.champion(), here.served()) == ("2", SECOND)
    here.name(**old)
    here.look()
    here.approve()
    here.look()
    assert (len(versions()), here.champion(), here.served()) == (3, "3", FIRST)
    here.look()
    assert len(versions()) == 3


@pytest.mark.parametrize(
    ("description", "why"),
    [
        ({"framework": "xgboost"}, "its flavors are python_function, sklearn; xgboost is not among them"),
        ({"threshold": 0.35}, "the model was logged without a threshold, but the spec sets 0.35"),
    ],
)
def test_files_that_differ_from_the_spec_are_refused(here: Importing, description: dict[str, Any], why: str) -> None:
    """Files with the right digest are rejected if they don't match the spec's description."""
    here.promotion["model"] |= description

    with pytest.raises(Refusal, match=f"model 'triage' is not imported: {why}"):
        here.bring()
    assert versions() == {}


def test_threshold_from_the_files_is_used(here: Importing) -> None:
    files = bought(here.folder / "sure", FIRST, **{registry.THRESHOLD: 0.35})
    here.promotion["model"] |= {"threshold": 0.35}
    here.name(uri=f"file://{files}", store="lake", digest=content_digest(files))

    assert "was imported" in here.bring()


def test_files_without_a_model_are_refused(here: Importing) -> None:
    """An empty folder is rejected, as is a folder without any model files."""
    empty, other = here.folder / "empty", here.folder / "texts"
    for folder in (empty, other):
        folder.mkdir()
    (other / "readme.txt").write_text("hello")
    for folder, why in ((empty, "there is nothing at"), (other, "there is no file MLmodel at")):
        here.name(uri=f"file://{folder}", store="lake", digest=content_digest(folder))
        with pytest.raises(Refusal, match=why):
            here.bring()


def test_command_prints_the_digest_for_the_spec(here: Importing, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a model folder's digest and fails for any other folder."""
    assert main(["digest", str(here.files)]) == 0
    assert capsys.readouterr().out == f"{here.promotion['import']['digest']}\n"
    assert main(["digest", str(here.folder)]) == 1


def test_import_from_a_registry_version_and_run(here: Importing) -> None:
    """A model can be imported under another name, ignoring files added by MLflow's client."""
    mlflow.set_experiment("others")
    with mlflow.start_run() as run:
        logged = log_model(LogisticRegression().fit(ROWS, SECOND), **ELSEWHERE)
        other = bought(here.folder / "logged", FIRST)
        mlflow.log_artifacts(str(other), "own")
    shared = registry.register("shared-triage", logged.model_uri, {})
    for number, uri in enumerate((shared.uri, f"runs:/{run.info.run_id}/own"), 1):
        here.name(uri=uri, digest=digest_of(uri))
        assert here.bring() == f"version {number} of {NAME} was imported from {uri}"
        assert digest_of(f"models:/{NAME}/{number}") == here.promotion["import"]["digest"]
    here.name(uri="models:/shared-triage/7", digest="sha256:" + "0" * 64)
    assert here.look() == 1


def test_import_is_delivered_without_training_data(here: Importing) -> None:
    """Other targets receive the imported model as a bundle without training data profiles."""
    here.promotion["model"]["delivery"] = {"uri": f"file://{here.folder}/bundles", "store": "lake"}
    here.look()
    here.approve()
    assert here.look() == 0

    pointer = current(local(here.folder / "bundles"))
    assert pointer is not None
    assert pointer.version == "1"
    with pytest.raises(Refusal, match="nothing was stored about the training data of version 1 of claims-triage"):
        Models(record(Workload, here.described), record(Model, SERVED)).profiles(registry.version(NAME, "1"))


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    service = ObjectStore()
    yield service
    service.cut()


def test_import_from_a_bucket(here: Importing, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing from a bucket uses the store's credentials and ignores objects outside the folder."""
    here.described |= store.described(monkeypatch)
    for file in [path for path in here.files.rglob("*") if path.is_file()]:
        key = f"triage/4/{file.relative_to(here.files).as_posix()}"
        store.client.put_object(Bucket=BUCKET, Key=key, Body=file.read_bytes())
    store.client.put_object(Bucket=BUCKET, Key="triage/40/other", Body=b"beside")
    here.name(uri=f"s3://{BUCKET}/triage/4/", store="artifacts", digest=content_digest(here.files))
    assert "was imported" in here.bring()

    store.client.put_object(Bucket=BUCKET, Key="triage/4/one-more", Body=b"code")
    here.promotion["promoteTo"] = "elsewhere"
    here.promotion["import"]["digest"] = "sha256:" + "1" * 64
    with pytest.raises(Refusal, match="hash to"):
        here.bring()


def test_unsupported_sources_are_refused(here: Importing) -> None:
    """Both the compiler and the promoter refuse unsupported sources."""
    for source in (
        {"uri": "https://models.acme.example/4"},
        {"uri": "s3://models/4"},
        {"uri": "az://m/4", "store": "m"},
    ):
        here.name(**source, digest="sha256:" + "0" * 64)
        with pytest.raises(Refusal, match=r"models.triage: a model cannot be imported from"):
            check_promoter(record(PromoterWorkload, here.described))


def test_import_works_with_workload_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promoter can register only the imported model, which servers can load and pipelines can't register."""
    folder = tmp_path / "server"
    folder.mkdir()
    with started(folder) as running:
        granted(running, monkeypatch)
        login(TRAINER, monkeypatch)
        here = Importing(tmp_path, monkeypatch, running.url)
        with pytest.raises(MlflowException, match="Permission denied"):
            here.bring()

        login(PROMOTER, monkeypatch)
        assert here.look() == 0
        here.approve()
        assert here.look() == 0
        here.promotion["model"]["registeredName"] = OTHER
        with pytest.raises(MlflowException, match="Permission denied"):
            here.bring()
        login(SERVER, monkeypatch)
        assert (here.champion(), here.served(), versions().keys()) == ("1", FIRST, {"1"})


def granted(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grant the promoter the permissions that it has in a system with an imported model."""
    described = json.loads(json.dumps(running.described))
    own = [f"cards/{NAME}", f"{NAME}/aliases"]
    described["experiments"] |= dict.fromkeys(own, f"file://{running.folder}/artifacts/{NAME}")
    described["models"].append(NAME)
    described["users"][PROMOTER] = {"experiments": [HISTORY, *own], "models": [MODEL, NAME]}
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    prepare(record(Server, described), running.database)


def login(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch to the login of another workload."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", f"the password of {name}")
