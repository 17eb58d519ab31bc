"""Tests that an entry with `forEach` has the same effect as writing out the entry for each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
import yaml

from modelyard.api import compile_text
from modelyard.cli.addresses import explain_address
from modelyard.drawing.ml import ml_view
from modelyard.drawing.rows import by_definition
from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import Outcome, read, understand
from modelyard.review.findings import Finding
from modelyard_targets import TARGETS
from tests.diagnosing import Question, examine, places
from tests.narrowing import present
from tests.reviewing import review_of
from tests.test_work import traced

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: demand}
governance: {owner: {team: stores, email: stores@acme.example, oncall: desk}}
deployment: {mode: on-prem, provider: kubernetes, context: team, capacity: [{count: 90, cpu: 8, memory: 32Gi}]}
lists:
  shops: {file: shops.csv}
stores:
  lake: {type: object, adopt: sales, endpoint: "http://minio.minio.svc:9000", credentials: "secret://kubernetes/lake"}
registry: {adopt: "http://mlflow.mlflow.svc:5000"}
data:
  "sales-${each.name}": {forEach: shops, store: lake, path: "sales/${each.name}", format: parquet, label: sold}
models:
  "sold-${each.name}":
    forEach: shops
    task: regression
    framework: xgboost
    validation: {error: {metric: rmse, max: "${each.error}"}}
pipelines:
  "train-${each.name}":
    forEach: shops
    type: training
    model: "sold-${each.name}"
    inputs: ["sales-${each.name}"]
    compute: {cpu: 1, memory: 2Gi}
    schedule: {cron: "0 4 * * ${each.day}"}
  report:
    type: custom
    source: {entrypoint: "shops.report:run"}
    inputs: ["sales-${lists.shops.name}"]
    compute: {cpu: 1, memory: 2Gi}
inference:
  "sold-${each.name}":
    forEach: shops
    variants: {live: {model: "sold-${each.name}@champion"}}
    compute: {cpu: 1, memory: 2Gi}
monitors:
  "slow-${each.name}":
    forEach: shops
    type: performance
    watch: "inference.sold-${each.name}"
    checks: {p99_ms: {max: 400}}
channels:
  desk: {type: webhook, url: "secret://kubernetes/desk#url"}
"""
TABLE = "name,error,day,city\ngraz,10,1,Graz\nlinz,12.5,2,Linz\n"


def inputs(table: str = TABLE, spec: str = SPEC) -> Inputs:
    """Return the input of a compile."""
    return Inputs(InputFile("system.yaml", spec), tables={"shops.csv": InputFile("shops.csv", table)})


def understood(table: str = TABLE, spec: str = SPEC) -> Outcome:
    """Return the outcome of a spec that must have no errors."""
    outcome = understand(inputs(table, spec), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return outcome


def written_out(table: str) -> str:
    """Return the spec with every entry written out."""
    head, *lines = table.splitlines()
    rows = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    spec = yaml.safe_load(SPEC)
    del spec["lists"]
    for section in ("data", "models", "pipelines", "inference", "monitors"):
        entries: dict[str, object] = {}
        for key, entry in spec[section].items():
            if entry.pop("forEach", None) is None:
                entry["inputs"] = [f"sales-{row['name']}" for row in rows]
                entries[key] = entry
                continue
            for row in rows:
                text = yaml.safe_dump({key: entry}, sort_keys=False)
                for column, value in row.items():
                    quoted = f"'${{each.{column}}}'" if f"'${{each.{column}}}'" in text else f"${{each.{column}}}"
                    text = text.replace(quoted, value).replace(f"${{each.{column}}}", value)
                entries |= yaml.safe_load(text)
        spec[section] = entries
    return yaml.safe_dump(spec, sort_keys=False)


def test_the_output_is_that_of_the_entries_written_out() -> None:
    """A list only makes a spec shorter. The output does not differ."""
    listed, plain = compile_text(SPEC, tables={"shops.csv": TABLE}), compile_text(written_out(TABLE))

    assert listed.ok
    assert plain.ok, plain.diagnostics
    assert listed.files == plain.files


def test_sixty_models_are_one_short_spec() -> None:
    """More rows do not make the spec longer."""
    table = "name,error,day\n" + "".join(f"shop-{at:03},{10 + at},{at % 7}\n" for at in range(60))
    outcome = understood(table)

    system = present(outcome.system)
    assert SPEC.count("\n") < 120
    assert (len(system.models), len(system.inference)) == (60, 60)
    assert [check.maximum for check in system.models["sold-shop-059"].validation] == [69]


def test_a_wrong_value_is_reported_at_its_cell() -> None:
    """Values are checked against the schema, and reported at their cell in the table."""
    spec = SPEC.replace("framework: xgboost", 'framework: "${each.city}"')

    assert places(examine(Question(spec, tables={"shops.csv": TABLE.encode()}))) == ["2:11 E0204", "3:13 E0204"]


def test_an_error_of_many_rows_is_reported_once() -> None:
    """The error is reported in the definition shared by all rows, not for each row."""
    diagnostics = examine(Question(SPEC.replace("rmse", "rmze"), tables={"shops.csv": TABLE.encode()}))

    assert [diagnostic.message for diagnostic in diagnostics] == [
        "unknown metric 'rmze' for model 'sold-${each.name}' (rows graz, linz of list shops)"
    ]


@pytest.mark.parametrize("value", ["${vars.x}", "$${", "${each.name}", "a: b", "'", '"', "{}", "*x", "#"])
def test_values_are_data(value: str) -> None:
    """A value is inserted once, and is never parsed as a reference or as YAML."""
    quoted = '"' + value.replace('"', '""') + '"'
    spec = SPEC.replace("xgboost\n", 'xgboost\n    card: {purpose: "${each.city}", limitations: "Not: ${each.city}"}\n')
    system = present(understood(f"name,error,day,city\ngraz,1,1,{quoted}\n", spec).system)
    card = present(system.models["sold-graz"].card)

    assert (card.purpose, card.limitations) == (value, f"Not: {value}")


def changes(table: str = TABLE, spec: str = SPEC) -> list[Finding]:
    """Return the findings about a change."""
    return list(review_of(understood(), understood(table, spec)).findings)


def test_an_accepted_row_does_not_cover_later_values_of_others() -> None:
    """A finding about several rows shows the values of one of them, but its fingerprint covers all."""
    loosened = {
        linz: next(
            finding
            for finding in changes(f"name,error,day,city\ngraz,91,1,Graz\nlinz,{linz},3,Linz\n")
            if finding.code == "R201"
        )
        for linz in ("92", "93")
    }

    assert loosened["92"].message == loosened["93"].message
    assert loosened["92"].fingerprint != loosened["93"].fingerprint


def test_a_change_of_the_definition_is_one_finding() -> None:
    spec = SPEC.replace("live: {model:", "live: {replicas: 2, model:")

    assert sorted(finding.message for finding in changes(spec=spec)) == [
        "main: `pulumi up` changes in place: inference.sold-graz and inference.sold-linz",
        "sold-${each.name} has at most 2 replicas (was 1) (rows graz, linz of list shops)",
        "sold-${each.name} keeps at least 2 replicas (was 1) (rows graz, linz of list shops)",
    ]


def test_a_change_of_a_row_is_found_at_its_cell() -> None:
    (finding,) = [candidate for candidate in changes(TABLE.replace("12.5", "13")) if candidate.code == "R201"]

    assert "sold-linz" in finding.message
    assert (present(finding.now_at).file, present(finding.now_at).line) == ("shops.csv", 3)


def test_a_new_row_is_one_finding_for_each_definition() -> None:
    findings = changes(TABLE + "wels,3,3,Wels\nenns,3,4,Enns\n")

    assert Counter(finding.code for finding in findings)["R121"] == 1
    assert all(
        len([finding for finding in findings if finding.path == other.path and finding.code == other.code]) == 1
        for other in findings
    )


def test_the_diagram_has_a_box_for_each_definition() -> None:
    few, many = (
        by_definition(ml_view(system), system.document)
        for system in (present(understood(table).system) for table in (TABLE, TABLE + "wels,3,3,Wels\n"))
    )

    assert [box.id for box in few.boxes] == [box.id for box in many.boxes]
    assert few.arrows == many.arrows
    assert "sales-${each.name} × 3" in [box.name for box in many.boxes]


def test_explanations_of_an_entry_and_of_its_definition() -> None:
    outcome = understood()

    assert explain_address(outcome, "models.sold-linz")[0] == (
        "models.sold-linz: written at system.yaml:14, for row linz of list shops (shops.csv:3)"
    )
    assert explain_address(outcome, "models.sold-${each.name}") == [
        "models.sold-${each.name}: written at system.yaml:14, for each row of list shops",
        "",
        "  models.sold-graz, from shops.csv:2",
        "  models.sold-linz, from shops.csv:3",
    ]


def test_an_environment_can_have_other_rows() -> None:
    """Values in an overlay are merged like any other values."""
    spec = SPEC.replace("{file: shops.csv}", "{values: {graz: {error: 1, day: 1}}}")
    overlay = InputFile("environments/prod.yaml", "lists: {shops: {values: {wels: {error: 2, day: 2}}}}\n")
    outcome = understand(Inputs(InputFile("system.yaml", spec), "prod", overlay, beside={"prod": overlay}), TARGETS)

    assert list(present(outcome.system).models) == ["sold-graz", "sold-wels"]


def reading(table: str) -> Callable[[], object]:
    """Return a function that reads the spec with the given table."""
    return lambda: read(inputs(table))


def test_work_is_linear_in_the_number_of_rows() -> None:
    """Adding twenty rows to ten takes as many instructions as adding them to thirty."""
    tables = ["name,error,day\n" + "".join(f"s{at:04},{at},1\n" for at in range(rows)) for rows in (10, 30, 50)]
    read(inputs(tables[0]))  # imports and patterns
    small, middle, large = (traced(reading(table)).total() for table in tables)

    assert large - middle <= (middle - small) * 1.02
