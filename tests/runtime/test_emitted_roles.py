"""Tests that each workload's emitted AWS role allows exactly the reads and writes it needs.

Policies and their conditions are evaluated in front of moto. A request for a missing key gets the response documented
for S3.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import ray
from mlflow.sklearn import save_model
from pyarrow import fs
from sklearn.linear_model import LogisticRegression

from modelyard_runtime.batch import files as batch_files
from modelyard_runtime.batch.files import WHOLE, Piece, parts_of, pieces
from modelyard_runtime.batch.scorer import ModelHandle, Scorer, Task
from modelyard_runtime.batch.state import Known, publish, write_refused, write_run
from modelyard_runtime.bundles.store import current
from modelyard_runtime.captures.capture import Captures
from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.starter import answer_requests
from modelyard_runtime.models.answers import answer
from modelyard_runtime.models.loading import Models
from modelyard_runtime.monitoring import windows
from modelyard_runtime.monitoring.breach import act
from modelyard_runtime.promotion import aliases, evidence
from modelyard_runtime.promotion.delivery import deliver_all
from modelyard_runtime.promotion.history import PROMOTE, History, Move
from modelyard_runtime.promotion.imports import import_model
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.lineage import content_digest, fingerprint
from modelyard_runtime.storage.datasets import dataset_place, read_batches, read_frame, read_ray
from modelyard_runtime.storage.filesystem import Place, place, write_whole
from modelyard_runtime.storage.filesystem import reading as reading_of
from modelyard_runtime.training.checkpoints import Checkpoints
from modelyard_runtime.training.data import training_data
from modelyard_runtime.training.together import goes_on
from modelyard_runtime.training.trained import Trained, finish
from modelyard_runtime.training.trainers import grow
from modelyard_runtime.workload.description import names, rows, section, sections, text
from modelyard_runtime.workload.records import (
    Capture,
    Dataset,
    Model,
    MonitorWorkload,
    PipelineWorkload,
    StarterWorkload,
    Step,
    Workload,
)
from tests.narrowing import present
from tests.runtime.api_server import ApiServer
from tests.runtime.described import look_of, record
from tests.runtime.emitted_roles import account
from tests.runtime.emitted_systems import NOW, ROWS, SYSTEMS, System, read_by

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

BATCH = "/apis/batch/v1/namespaces/tills"


@pytest.fixture(params=[True, False], ids=["prefix counts", "prefix does not count"])
def reading(request: pytest.FixtureRequest, system: System) -> Iterator[None]:
    """Run a test with both possible S3 responses for a missing key when listing is limited to folders."""
    authorizer = system.account.guard.authorizer
    authorizer.prefix_counts = request.param
    yield
    authorizer.prefix_counts = True


@pytest.fixture(scope="module")
def ray_here() -> Iterator[None]:
    """Start a local Ray cluster."""
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Return each AWS system in an account of its own."""
    with account(request.param) as own_account:
        yield System(own_account, request.param, tmp_path_factory.mktemp("system"))


@pytest.mark.usefixtures("reading")
def test_every_dataset_is_read(system: System) -> None:
    """Datasets can be read in full, including subfolders: at once, in batches, and for a fingerprint."""
    for workload in system.running("training", "batch-inference", "monitor"):
        for dataset in read_by(workload).values():
            assert len(read_frame(record(Workload, workload), record(Dataset, dataset))) == ROWS
            assert sum(len(part) for part in read_batches(record(Workload, workload), record(Dataset, dataset))) == ROWS
            assert fingerprint(record(Workload, workload), record(Dataset, dataset)).startswith("files=2 ")
    assert system.account.guard.refused == []


def test_ray_reads_a_folder(system: System, ray_here: None) -> None:
    for workload in system.running("training"):
        for dataset in read_by(workload).values():
            assert read_ray(record(Workload, workload), record(Dataset, dataset)).count() == ROWS


@pytest.mark.usefixtures("reading")
def test_missing_objects_are_reported_as_missing(system: System) -> None:
    """Missing datasets, versions and scored-file markers are reported as missing rather than forbidden."""
    for workload in system.running("training", "batch-inference"):
        for dataset in read_by(workload).values():
            with pytest.raises(Refusal, match="there is nothing at"):
                read_frame(
                    record(Workload, workload),
                    record(Dataset, {**dataset, "uri": f"{dataset['uri'].rstrip('/')}/none"}),
                )
        data, output = sections(section(workload, "pipeline"), "data"), text(section(workload, "pipeline"), "output")
        if output:
            piece = Piece("a", "a/b.parquet", 1, 1, "b.parquet.scored.parquet")
            known = Known(dataset_place(record(Workload, workload), record(Dataset, data[output])))
            assert known.mark(piece) is None
            assert known.refused == {}
    for workload in system.running("server"):
        for application in workload["applications"].values():
            if "bundle" in application["model"]:
                described = application["model"]["bundle"]
                assert current(place(record(Workload, workload), described["uri"], described["store"])) is None


@pytest.fixture(scope="module")
def unasked() -> Iterator[None]:
    """Skip the approval check, because the tests don't have the example approvers' private keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "check", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def trained(system: System, unasked: None) -> System:
    """Return a system whose pipelines have trained and whose promoter has moved and delivered all aliases."""
    system.account.guard.refused.clear()
    for workload in system.running("training"):
        pipeline = section(workload, "pipeline")
        model, steps = section(pipeline, "model"), sections(pipeline, "steps")
        name, step = next(iter(steps.items()))
        registry.connect(record(Workload, workload))
        registry.open_experiment(record(Model, model))
        data = training_data(record(PipelineWorkload, workload), tuple(names(step, "inputs")), text(model, "task"))
        *_, grown = grow("scikit-learn", text(model, "task"), {"max_iter": 5}, data)
        finish(record(PipelineWorkload, workload), name, Trained(grown, {}, {}), data, "run-1")
    for workload, model in _promoted(system):
        registry.connect(record(Workload, workload))
        for alias in ("champion", "candidate"):
            digest = registry.version(text(model, "registeredName"), "1").tags["modelyard.digest"]
            aliases.promote(History(record(Model, model)), Move(alias, PROMOTE, "1", "", "promoter", "", digest))
            deliver_all(record(Workload, workload), record(Model, model), alias)
    assert system.account.guard.refused == []
    return system


def _promoted(system: System) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the promoter's description once per model it promotes, along with the model."""
    for workload in system.running("promoter"):
        for promotion in sections(workload, "promotions").values():
            yield workload, dict(section(promotion, "model"))


def test_import_reads_its_source_and_writes_only_its_model(system: System, tmp_path: Path) -> None:
    """The promoter only reads an import's source and writes only to the imported model's folder."""
    files = tmp_path / "bought"
    fitted = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    save_model(fitted, str(files), serialization_format="cloudpickle", pip_requirements=[])
    for workload in system.running("promoter"):
        system.account.guard.refused.clear()
        for name, promotion in sections(workload, "imports").items():
            described = section(promotion, "import")
            uri, store, digest = text(described, "uri"), text(described, "store"), content_digest(files)
            source = {**described, "digest": digest}
            for file in [entry for entry in files.rglob("*") if entry.is_file()]:
                system.put(f"{uri}{file.relative_to(files).as_posix()}", file.read_bytes())
            system.put(f"{uri.rstrip('/')}0/MLmodel", b"another one")
            registry.connect(record(Workload, workload))
            look: dict[str, Any] = {
                **workload,
                "pipeline": {**promotion, "import": source},
                "trainedBy": f"models.{name}",
            }
            assert "version 1 of" in import_model(look_of(look))
            assert system.account.guard.refused == []

            version = registry.version(text(section(promotion, "model"), "registeredName"), "1")
            assert digest_of(version.uri) == digest
            where = place(record(Workload, workload), uri, store)
            neighbour = where.at(f"{where.path}0/MLmodel")
            with pytest.raises(OSError, match="ACCESS_DENIED"), reading_of(neighbour) as stream:
                stream.read()
            other = place(record(Workload, workload), text(section(promotion, "model"), "artifacts"), store)
            for path in (where.below("MLmodel").path, f"{other.path}-other/MLmodel"):
                with pytest.raises(OSError, match="ACCESS_DENIED"):
                    write_whole(where.at(path), b"swapped")


def test_training_run_writes_only_its_models_folder(trained: System) -> None:
    """A run writes artifacts, monitor baselines and checkpoints. The promoter writes other targets' bundles."""
    folders: set[str] = set()
    for workload in trained.running("training"):
        model = section(section(workload, "pipeline"), "model")
        version = registry.version(text(model, "registeredName"), "1")
        assert registry.profiles(version.run_id) is not None
        assert registry.load(version.uri).columns()
        folders |= {
            text(model, "artifacts"),
        }
        if checkpoints := section(section(workload, "pipeline"), "checkpoints"):
            write_whole(
                place(record(Workload, workload), text(checkpoints, "uri"), "lake").below("run-1", "epoch-1"),
                b"weights",
            )
        for neighbour in _neighbours(workload):
            with pytest.raises(OSError, match="ACCESS_DENIED"):
                write_whole(neighbour, b"the weights of another model")

    for workload in trained.running("promoter"):
        folders |= {text(section(entry, "model"), "artifacts") for entry in sections(workload, "imports").values()}
    for _, model in _promoted(trained):
        delivered = [section(model, "delivery"), *sections(model, "otherDeliveries").values()]
        folders |= {text(entry, "uri") for entry in delivered if entry}

    written = {f"s3://{name}" for name in trained.names() if "/mlflow/" in name}
    assert written
    assert [name for name in written if not name.startswith(tuple(folders))] == []


@pytest.mark.usefixtures("reading")
def test_training_keeps_and_removes_its_checkpoints(trained: System) -> None:
    """Only the run's own checkpoint folder is listed, as Ray Train does. Its parent has no folder marker."""
    for workload in trained.running("training"):
        steps = sections(section(workload, "pipeline"), "steps").values()
        for step in (
            candidate for candidate in steps if goes_on(record(PipelineWorkload, workload), record(Step, candidate))
        ):
            before = trained.names()
            checkpoints = present(Checkpoints.of(record(PipelineWorkload, workload), record(Step, step)))
            files, run = checkpoints.files(), f"{checkpoints.path}/run"
            files.create_dir(run)
            for checkpoint in ("1", "2"):
                assert files.get_file_info(f"{run}/{checkpoint}/grown").type == fs.FileType.NotFound
                files.create_dir(f"{run}/{checkpoint}")
                with files.open_output_stream(f"{run}/{checkpoint}/grown") as stream:
                    stream.write(b"trees")
            files.delete_dir(f"{run}/1")
            with files.open_input_stream(f"{run}/2/grown") as stream:
                assert stream.read() == b"trees"
            again = present(Checkpoints.of(record(PipelineWorkload, workload), record(Step, step)))
            assert again.began == checkpoints.began
            checkpoints.discard()
            assert trained.names() - before <= {f"{checkpoints.root.path}/"}


def _neighbours(workload: Any) -> list[Place]:
    """Return files that a training run must not access: in two other models' folders, in a bundle, and at the root."""
    folder = text(section(section(workload, "pipeline"), "model"), "artifacts").rstrip("/")
    root = folder.rpartition("/models/")[0]
    others = (f"{folder}-2/model.pkl", f"{root}/models/other/model.pkl", f"{root}/bundles/other/champion/current.json")
    return [place(record(Workload, workload), uri, "lake") for uri in (*others, f"{root}/0/model.pkl")]


@pytest.mark.usefixtures("reading")
def test_batches_are_scored_and_marked(trained: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Input files are scored both whole and in parts, and the runs of the scoring step are recorded."""
    for workload in trained.running("batch-inference"):
        pipeline = section(workload, "pipeline")
        output = text(pipeline, "output")
        target = dataset_place(record(Workload, workload), record(Dataset, sections(pipeline, "data")[output]))
        version = Models(record(Workload, workload), record(Model, section(pipeline, "model"))).version()
        assert version is not None
        scorer = Scorer(record(PipelineWorkload, workload), output, ModelHandle(version))
        (step,) = sections(pipeline, "steps").values()
        batch = list(pieces(record(PipelineWorkload, workload), tuple(names(step, "inputs"))))
        for piece in batch:
            task = Task(piece, WHOLE, 1, tuple(Known(target).marks(piece)))
            assert scorer({"task": [task.packed()]})["rows"] == [ROWS // 2]
            mark = Known(target).mark(piece)
            assert mark is not None
            assert mark.state == piece.state
        assert len(read_frame(record(Workload, workload), record(Dataset, sections(pipeline, "data")[output]))) == ROWS
        _in_parts(workload, scorer, batch[0], version.version, monkeypatch)
        write_refused(target, [{"name": "a", "reason": "why"}])
        assert list(Known(target).refused) == ["a"]
        write_run(target, NOW, "1", {"scored": []})
        read = sections(pipeline, "data")[names(step, "inputs")[0]]
        with pytest.raises(OSError, match="ACCESS_DENIED"):
            write_whole(dataset_place(record(Workload, workload), record(Dataset, read)).below("b"), b"")


@pytest.mark.usefixtures("reading")
def test_servers_load_models_and_write_captures(trained: System, tmp_path: Path) -> None:
    trained.account.guard.refused.clear()
    for workload in trained.running("server"):
        for application in workload["applications"].values():
            model = dict(application["model"])
            if "bundle" in model:
                model["bundle"] = {**model["bundle"], "cache": str(tmp_path / text(model, "registeredName"))}
            version = Models(record(Workload, workload), record(Model, model)).version()
            assert version is not None
            loaded = registry.load(version.uri)
            request = pd.DataFrame({each.name: ["a" if each.kind == "string" else 1] for each in loaded.columns()})
            if "capture" in application:
                captures = Captures(
                    record(Workload, workload),
                    record(Capture, {**application["capture"], "fraction": 1.0}),
                    application["variant"],
                    flush_s=3600,
                )
                captures.keep("request-1", request, answer(loaded, text(model, "task"), request), version.version)
                captures.close()
    assert trained.account.guard.refused == []
    capturing = [
        application
        for pod in trained.pods
        for application in pod.workload().get("applications", {}).values()
        if "capture" in application
    ]
    assert bool([name for name in trained.names() if "/variant=" in name]) is bool(capturing)


@pytest.mark.usefixtures("reading")
def test_monitors_read_watched_and_reference_data(trained: System) -> None:
    for workload in trained.running("monitor"):
        monitor = section(workload, "monitor")
        captured, _ = windows.current(record(MonitorWorkload, workload), datetime.now(UTC), {})
        assert isinstance(captured.files(), list)
        assert captured.newest() is not None
        if "reference" in monitor:
            assert (
                sum(len(part) for part in _frames(windows.reference(record(MonitorWorkload, workload), NOW)))
                >= ROWS // 2
            )
        for model in rows(monitor, "models"):
            source = Models(record(Workload, workload), record(Model, model))
            version = source.version()
            assert version is not None
            assert source.profiles(version)["columns"]
        for uri in (
            text(section(section(monitor, "current"), "capture"), "uri"),
            *(dataset["uri"] for dataset in read_by(workload).values()),
        ):
            if uri:
                with pytest.raises(OSError, match="ACCESS_DENIED"):
                    write_whole(place(record(Workload, workload), uri, "lake").below("b"), b"")


@pytest.mark.usefixtures("reading")
def test_run_request_is_written_and_answered_by_different_roles(trained: System, tmp_path: Path) -> None:
    """The monitor can't read or delete requests, write responses, or write requests as another monitor."""
    trained.account.guard.refused.clear()
    asking = [pod for pod in trained.pods if "request" in _run_of(pod.workload())]
    for workload in (entry for entry in trained.running("monitor") if "request" in _run_of(entry)):
        assert act(record(MonitorWorkload, workload), NOW)[0].startswith("requested a run of pipeline")
        assert trained.account.guard.refused == []
        folder = place(record(Workload, workload), text(section(_run_of(workload), "request"), "uri"), "lake")
        (request,) = [name for name in trained.names() if name.startswith(f"{folder.path}/") and name[-1] != "/"]
        root, _, own = folder.path.rpartition("/asked/")
        for path in (f"{root}/answered/{own}/a.json", f"{root}/asked/{own}-2/a.json", f"{root}/asked/a.json"):
            with pytest.raises(OSError, match="ACCESS_DENIED"):
                write_whole(folder.at(path), b"{}")
        with pytest.raises(OSError, match="ACCESS_DENIED"):
            folder.filesystem.open_input_stream(request)
        with pytest.raises(OSError, match="ACCESS_DENIED"):
            folder.filesystem.delete_file(request)
    trained.account.guard.refused.clear()
    with ApiServer() as server:
        server.objects[f"{BATCH}/cronjobs/retrain"] = {
            "metadata": {"name": "retrain", "uid": "u-1"},
            "spec": {"jobTemplate": {"spec": {}}},
        }
        (tmp_path / "token").write_text("secret")
        api = ClusterApi(server.url, "tills", tmp_path / "token", None)
        for workload in trained.running("starter"):
            assert answer_requests(api, record(StarterWorkload, workload), datetime.now(UTC)) == 0
            assert answer_requests(api, record(StarterWorkload, workload), datetime.now(UTC)) == 0
        missing = [
            entry for entry in trained.account.guard.refused if entry.startswith("HEAD ") and "/answered/" in entry
        ]
        assert trained.account.guard.refused == missing  # S3 may deny access to a missing key
        assert len([path for path in server.objects if "/jobs/" in path]) == len(asking)
    assert not [name for name in trained.names() if "/asked/" in name and name[-1] != "/"]


def _run_of(workload: Any) -> Any:
    return section(section(section(workload, "monitor"), "onBreach"), "run")


def _in_parts(workload: Any, scorer: Scorer, piece: Piece, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Score a file again, this time in two parts whose output replaces the previous one."""
    monkeypatch.setattr(batch_files, "PART_BYTES", 200)
    pipeline = section(workload, "pipeline")
    target = dataset_place(
        record(Workload, workload), record(Dataset, sections(pipeline, "data")[text(pipeline, "output")])
    )
    parts = parts_of(record(PipelineWorkload, workload), piece)
    monkeypatch.undo()
    assert len(parts) > 1
    scored = scorer({"task": [Task(piece, part, len(parts), ()).packed() for part in parts]})
    staged = [target.at(path) for path in scored["path"] if path]
    publish(target, piece, staged, sum(scored["rows"]), version, Known(target).marks(piece))
    assert sum(scored["rows"]) == ROWS // 2
    assert (
        len(
            read_frame(
                record(Workload, workload), record(Dataset, sections(pipeline, "data")[text(pipeline, "output")])
            )
        )
        == ROWS
    )


def _frames(captured: windows.Rows) -> Iterator[pd.DataFrame]:
    return captured.frames(captured.files())
