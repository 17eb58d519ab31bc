"""Tests that a pipeline is planned as a run with the permissions it needs, and a launcher without them."""

from __future__ import annotations

from modelyard.plan import Access, Job, Plan
from tests.compiler.planner.planned import identity
from tests.plans import plan_of
from tests.specs import VALID_SPEC, changed


def test_a_training_pipeline_may_read_its_inputs_and_write_artifacts() -> None:
    """The pipeline's identity can access the data named in the spec, and append to the pipeline's log folder."""
    rights = identity(plan_of(VALID_SPEC), "retrain")

    assert rights.access == (
        Access("lake", "transactions/", "read"),
        Access("lake", "mlflow/models/fraud-fraud-xgb/", "write"),
        Access("lake", "mlflow/logs/retrain", "append"),
    )
    assert [ref.path for ref in rights.secrets] == ["lake"]
    assert rights.api == "autoscaler"


def test_a_batch_pipeline_writes_its_output_and_only_reads_models() -> None:
    access = identity(plan_of(VALID_SPEC), "nightly").access

    assert access == (
        Access("lake", "transactions/", "read"),
        Access("lake", "scores/", "write"),
        Access("lake", "mlflow/models/fraud-fraud-xgb/", "read"),
        Access("lake", "mlflow/logs/nightly", "append"),
    )


def test_checkpoints_are_with_the_model_or_in_a_writable_store() -> None:
    """A pipeline with read-only access to its store gets no write permission for checkpoints."""
    source = "compute: cpu, source: {image: 'acme.example/x:1', entrypoint: 'x.y:z'}}"

    def with_pipeline(written: str) -> Plan:
        line = f"  export: {{inputs: [transactions], {written}, {source}\n"
        return plan_of(changed("pipelines:\n", f"pipelines:\n{line}"))

    learns = with_pipeline("type: training, model: fraud-xgb, promoteTo: candidate")
    reads = with_pipeline("type: custom")
    writes = with_pipeline("type: custom, output: scores")

    assert _checkpoints(learns, "export") == ("lake", "mlflow/models/fraud-fraud-xgb/checkpoints/export/")
    assert _checkpoints(reads, "export") is None
    assert identity(reads, "export").access == (
        Access("lake", "transactions/", "read"),
        Access("lake", "mlflow/logs/export", "append"),
    )
    assert _checkpoints(writes, "export") == ("lake", "checkpoints/export/")
    assert Access("lake", "checkpoints/export/", "write") in identity(writes, "export").access


def test_built_in_training_stores_checkpoints_with_its_model() -> None:
    """Built-in training only stores checkpoints with its model, and so stores none with an adopted registry.

    It also stores none if two runs on the same files could overlap, or if its Pods are too small for Ray Train.
    """
    adopted = plan_of(
        changed("registry: {database: runs, artifacts: lake}", "registry: {adopt: 'https://mlflow.acme.example'}")
    )
    small = plan_of(changed("  train: {cpu: 8, memory: 32Gi, ", "  train: {cpu: 8, memory: 1Gi, "))
    overlapping = plan_of(changed('schedule: {cron: "0 4 * * 0",', 'schedule: {cron: "0 4 * * 0", overlap: allow,'))

    plan = plan_of(VALID_SPEC)

    folder = "mlflow/models/fraud-fraud-xgb/"
    assert _checkpoints(plan, "retrain") == ("lake", f"{folder}checkpoints/retrain/")
    assert [access for access in identity(plan, "retrain").access if "checkpoints" in access.prefix] == []
    assert _checkpoints(plan, "nightly") is None
    assert _checkpoints(adopted, "retrain") is None
    assert _checkpoints(overlapping, "retrain") is None
    assert _checkpoints(small, "retrain") is None


def _checkpoints(plan: Plan, name: str) -> tuple[str, str] | None:
    (job,) = [
        resource.value for resource in plan.resources if resource.name == name and isinstance(resource.value, Job)
    ]
    return job.checkpoints


def test_an_adopted_registry_means_no_stored_logs() -> None:
    """An adopted registry's store is unknown, so logs can't be stored there."""
    adopted = plan_of(
        changed("registry: {database: runs, artifacts: lake}", "registry: {adopt: 'https://mlflow.acme.example'}")
    )

    assert not [access for access in identity(adopted, "nightly").access if access.mode == "append"]


def test_a_launcher_can_only_start_runs() -> None:
    """A pipeline's launcher has its own identity, which can't access data or secrets."""
    rights = identity(plan_of(VALID_SPEC), "retrain-launcher")

    assert (rights.access, rights.secrets, rights.api) == ((), (), "launcher")


def test_a_pipeline_that_runs_once_needs_no_launcher() -> None:
    once = plan_of(changed('schedule: {cron: "30 3 * * *"}', "schedule: once"))

    assert not [resource for resource in once.resources if resource.name == "nightly-launcher"]


def test_a_gate_can_read_its_evaluation_data() -> None:
    spec = changed("{metric: auc_pr, min: 0.82}", "{metric: auc_pr, min: 0.82, data: chargebacks}")

    assert Access("lake", "chargebacks/", "read") in identity(plan_of(spec), "retrain").access


def test_a_fixed_size_needs_no_autoscaler() -> None:
    spec = changed("workers: {min: 1, max: 2}", "workers: 2", ("replicas: {min: 2, max: 6}", "replicas: 2"))

    assert identity(plan_of(spec), "retrain").api == ""
    assert identity(plan_of(spec), "scorer").api == ""
