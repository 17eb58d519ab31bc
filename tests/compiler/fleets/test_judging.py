"""Tests that a site group is compiled once, and each site gets the same output as when compiled alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from modelyard import pipeline
from modelyard.api import compile_text
from modelyard.pipeline import InputFile, Inputs, Outcome
from modelyard.portability import Destination, portability
from modelyard_targets import TARGETS
from tests.diagnosing import Question, diagnose, examine

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: shelf}
governance: {owner: {team: stores, email: stores@acme.example}}
deployment:
  mode: on-prem
  provider: kubernetes
  sites: {file: shops.csv}
  context: "${site.name}"
  capacity: [{count: "${site.boxes}", cpu: 8, memory: 32Gi}]
registry: {adopt: "https://mlflow.acme.example"}
models: {gaps: {task: regression, framework: xgboost}}
inference:
  shelf: {variants: {live: {model: gaps@champion}}, compute: {cpu: 2, memory: 4Gi}}
"""


def errors_of(table: str, spec: str = SPEC) -> list[str]:
    """Return the location, code and message of each error in a spec with the given site table."""
    diagnostics = examine(Question(spec, tables={"shops.csv": table.encode()}))
    return [
        f"{diagnostic.span.file}:{diagnostic.span.line}:{diagnostic.span.column} {diagnostic.code} {diagnostic.message}"
        for diagnostic in diagnostics
        if diagnostic.span
    ]


def files(table: str, spec: str = SPEC) -> dict[str, str]:
    """Return the output files of a spec that must compile."""
    result = compile_text(spec, tables={"shops.csv": table})
    assert result.ok, result.diagnostics
    return {path.removeprefix("default/main/"): content.decode() for path, content in result.files.items()}


def test_settings_of_each_site() -> None:
    output = files("name,boxes\nb,1\na,1\n")

    assert [path for path in output if re.match(r"workloads/Pulumi\..+\.yaml", path)] == [
        "workloads/Pulumi.default.a.yaml",
        "workloads/Pulumi.default.b.yaml",
    ]
    settings = yaml.safe_load(output["workloads/Pulumi.default.b.yaml"])["config"]
    assert settings == {"shelf-main-workloads:context": "b", "shelf-main-workloads:site": {"name": "b"}}


def test_what_differs_between_kinds_is_in_their_folders() -> None:
    """Manifests that depend on the kind of site are in a folder per kind, while all others exist only once."""
    output = files("name,boxes\na,1\nb,2\nc,1\n")
    manifests = sorted(path.removeprefix("workloads/manifests/") for path in output if "/manifests/" in path)

    assert manifests == ["addons.yaml", "boxes-1/namespace.yaml", "boxes-2/namespace.yaml", "model-shelf.yaml"]
    settings = yaml.safe_load(output["workloads/Pulumi.default.c.yaml"])["config"]
    assert settings["shelf-main-workloads:site"] == {"name": "c", "manifests": "boxes-1"}


def test_a_group_of_one_site_equals_the_site_alone() -> None:
    """Once placeholders are filled in, the manifests equal those of a spec without `sites`."""
    group = files("name,boxes\na,2\n")
    alone = (
        SPEC.replace("  sites: {file: shops.csv}\n", "").replace("${site.name}", "a").replace('"${site.boxes}"', "2")
    )
    single = {
        path.removeprefix("default/main/"): content.decode() for path, content in compile_text(alone).files.items()
    }
    manifests = [path for path in group if "/manifests/" in path]

    assert manifests == [path for path in single if "/manifests/" in path]
    for path in manifests:
        assert _without_hashes(group[path].replace("${site.name}", "a")) == _without_hashes(single[path])


def _without_hashes(text: str) -> str:
    """Remove digests, including the entry from which a site's server reads its digest."""
    return re.sub("[0-9a-f]{16}", "", re.sub(r',\n +"revision": "[^"]+"', "", text))


def test_an_error_at_some_sites_names_them() -> None:
    """A machine that is too small at some sites is reported where the spec requests it, naming those sites."""
    errors = errors_of("name,boxes,cpu\na,1,8\nb,1,1\nc,1,1\n", SPEC.replace("cpu: 8", 'cpu: "${site.cpu}"'))

    assert len(errors) == 1
    assert "E0504" in errors[0]
    assert errors[0].endswith("(at sites b, c)")


def test_an_error_at_the_first_site_alone_names_it() -> None:
    errors = errors_of("name,boxes,cpu\na,1,1\nb,1,8\n", SPEC.replace("cpu: 8", 'cpu: "${site.cpu}"'))

    assert len(errors) == 1
    assert errors[0].endswith("(at site a)")


def test_an_error_everywhere_names_no_site() -> None:
    errors = errors_of("name,boxes\na,1\nb,2\n", SPEC.replace("cpu: 2, memory: 4Gi", "cpu: 20, memory: 4Gi"))

    assert len(errors) == 1
    assert "at site" not in errors[0]


def test_a_warning_names_every_kind_of_site_that_has_it() -> None:
    """Only the site with a single machine never has a second Pod, whichever site comes first."""
    spec = SPEC.replace("  mode: on-prem\n", "  mode: on-prem\n  edge: true\n").replace(
        "memory: 4Gi}}", "memory: 4Gi}, capture: {sample: 10%, retain: 30d, store: lake}}"
    )
    spec += """\
stores:
  lake: {type: object, adopt: lake, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}
"""
    warnings = [errors_of(f"name,boxes\n{rows}", spec) for rows in ("a,2\nb,3\nc,1\nd,2\n", "a,1\nb,2\nc,3\n")]

    assert [[message.split()[1] for message in messages] for messages in warnings] == [["W0696"], ["W0696"]]
    assert warnings[0][0].endswith("(at sites a, b, d)")
    assert warnings[1][0].endswith("(at sites b, c)")


def test_each_text_of_an_error_names_its_sites() -> None:
    """The free capacity in the message differs, and the site with enough machines has no error."""
    spec = SPEC.replace("compute: {cpu: 2, memory: 4Gi}", "replicas: 3, compute: {cpu: 6, memory: 20Gi}")
    reported = errors_of("name,boxes\na,2\nb,1\nc,4\nd,1\n", spec)
    errors = [error for error in reported if "E0511" in error]

    assert sorted(error[error.index("(at site") :] for error in errors) == ["(at site a)", "(at sites b, d)"]


def test_an_invalid_value_is_reported_where_the_site_has_it() -> None:
    """The hint names the line of the spec that uses the value."""
    diagnostics = examine(Question(SPEC, tables={"shops.csv": b"name,boxes\na,1\nb,2\nc,0\nd,0\n"}))

    assert errors_of("name,boxes\na,1\nb,2\nc,0\nd,0\n") == [
        "shops.csv:4:3 E0206 the number 0 is out of bounds: it must be at least 1 (at sites c, d)"
    ]
    assert [diagnostic.hint for diagnostic in diagnostics] == ["it is used on line 10 of system.yaml"]
    assert [error.split()[0] for error in errors_of("name,boxes\na,0\nb,2\n")] == ["shops.csv:2:3"]


def test_a_number_in_a_column_of_text_has_a_hint_at_the_text() -> None:
    """Neither number is in quotes, so removing quotes cannot help."""
    diagnostics = examine(Question(SPEC, tables={"shops.csv": b"name,boxes\na,1\nb,two\n"}))
    large = examine(Question(SPEC, tables={"shops.csv": b"name,boxes\na,99999999999999999999\n"}))

    assert [diagnostic.hint.partition(";")[0] for diagnostic in (*diagnostics, *large)] == [
        "the column is text because of 'two' on line 3, which is the value to correct",
        "it is used on line 10 of system.yaml",
        "write a smaller number",
    ]


def test_an_address_range_starts_at_a_multiple_of_its_size() -> None:
    """An invalid range is reported in the site table if it comes from there, and in the spec otherwise."""
    spec = SPEC.replace("  mode: on-prem\n", '  mode: on-prem\n  egress: ["${site.net}"]\n')
    written = SPEC.replace("  mode: on-prem\n", '  mode: on-prem\n  egress: [10.1.0.0/16, 10.7.0.1/16, "fd00:1::/8"]\n')
    table = "name,boxes,net\na,1,10.1.0.0/16\nb,1,10.7.0.1/16\nc,1,10.8.0.0/16\n"
    diagnostics = examine(Question(spec, tables={"shops.csv": table.encode()}))

    assert [error.split()[:2] for error in errors_of(table, spec)] == [["shops.csv:3:5", "E0205"]]
    assert [diagnostic.hint for diagnostic in diagnostics] == ["did you mean 10.7.0.0/16?"]
    assert [error.split()[:2] for error in errors_of("name,boxes\na,1\n", written)] == [
        ["system.yaml:7:25", "E0205"],
        ["system.yaml:7:38", "E0205"],
    ]


CENTRAL = (
    SPEC.replace(
        """\
  provider: kubernetes
  sites: {file: shops.csv}
  context: "${site.name}"
  capacity: [{count: "${site.boxes}", cpu: 8, memory: 32Gi}]
""",
        """\
  targets:
    centre: {provider: kubernetes, context: centre}
    shops:
      provider: kubernetes
      sites: {file: shops.csv}
      context: "${site.name}"
      telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/write", alertsOn: centre}
  placement: {default: centre, inference: shops}
""",
    ).replace("stores@acme.example}}", "stores@acme.example, oncall: desk}}")
    + 'channels: {desk: {type: webhook, url: "secret://kubernetes/desk#url"}}\n'
)
"""Sites whose alerts another target evaluates."""


def test_an_error_elsewhere_does_not_hide_that_a_target_has_sites() -> None:
    """Stages that run despite an error still know the sites, so they don't report a target without sites."""
    wrong = CENTRAL.replace("gaps@champion", "gapz@champion")

    assert errors_of("name\na\n", CENTRAL) == []
    assert [error.split()[1] for error in errors_of("name\na\n", wrong)] == ["E0301"]


def test_a_target_keeps_its_sites_when_it_moves() -> None:
    inputs = Inputs(InputFile("system.yaml", CENTRAL), tables={"shops.csv": InputFile("shops.csv", "name\na\n")})
    outcome = pipeline.understand(inputs, TARGETS)
    (move,) = portability(outcome, inputs, TARGETS, (Destination("aws", "eu-central-1"),)).moves

    assert "E0688" not in [refusal.problem.code for refusal in move.refusals]


def test_texts_with_a_meaning_divide_sites_into_kinds() -> None:
    """Residency affects checks, so the spec is compiled for each one, and invalid residencies are refused."""
    spec = SPEC.replace("  mode: on-prem\n", '  mode: on-prem\n  residency: "${site.country}"\n')

    assert "workloads/manifests/boxes-1-country-at/namespace.yaml" not in files("name,boxes,country\na,1,at\n", spec)
    assert any(
        "E0205" in error and "(at site b)" in error
        for error in errors_of("name,boxes,country\na,1,at\nb,1,austria\n", spec)
    )


def test_too_many_kinds_are_refused() -> None:
    table = "name,boxes\n" + "".join(f"s{number},{number}\n" for number in range(1, 40))

    assert errors_of(table) == [
        "system.yaml:10:23 E0668 the sites of target 'main' have 39 different values for 'boxes' here, but the maximum"
        " is 32"
    ]


def test_values_are_data_everywhere() -> None:
    """Site values that could end one string or begin another are never inserted as plain text."""
    spec = SPEC.replace("metadata: {name: shelf}", "metadata: {name: shelf}\nvars: {team: x}").replace(
        "inference:\n  shelf: {", 'inference:\n  shelf: {endpoint: {host: "${site.host}"}, '
    )
    for value in ("a'b", 'a""b', "a$(reboot)", "{{ x }}", "${vars.team}", "a: b", "../x", "a\\nb", "*.acme.example#"):
        errors = errors_of(f'name,boxes,host\na,1,"{value}"\n', spec)
        assert errors, value
        assert all("internal" not in error for error in errors)


def test_markers_in_a_spec_are_texts() -> None:
    """User strings that look like one of our placeholder markers are left as they are."""
    spec = SPEC.replace(
        "metadata: {name: shelf}", "metadata: {name: shelf, labels: {a: zq7s0v0z, b: zq7s1v0z.example}}"
    )
    output = files("name,boxes\na,1\n", spec)

    assert "zq7s0v0z" in output["workloads/manifests/model-shelf.yaml"]
    assert yaml.safe_load(output["workloads/Pulumi.default.a.yaml"])["config"]["shelf-main-workloads:context"] == "a"


@pytest.mark.parametrize("name", ["shops.csv", "x.csv"])
def test_files_that_are_not_given_are_reported(name: str) -> None:
    printed = diagnose(Question(SPEC, tables={name: b""} if name != "shops.csv" else {}))

    assert "E0660" in printed


def test_the_budget_counts_every_site() -> None:
    """The budget includes the machines of every site, each at its own price."""
    spec = SPEC.replace("stores@acme.example}}", "stores@acme.example}, budget: {monthly: 1000 USD}}").replace(
        "memory: 32Gi}", 'memory: 32Gi, price: "${site.price}"}'
    )

    assert errors_of("name,boxes,price\na,1,1 USD\n", spec) == []
    assert [message.split()[1] for message in errors_of("name,boxes,price\na,1,1 USD\nb,1,1 USD\n", spec)] == ["W0513"]
    assert errors_of("name,boxes,price\na,1,0.5 USD\nb,1,0.6 USD\n", spec) == []
    assert [message.split()[1] for message in errors_of("name,boxes,price\na,1,0.5 USD\nb,1,0.9 USD\n", spec)] == [
        "W0513"
    ]


def test_the_stages_run_no_more_often_for_more_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group is compiled for each kind of site and for sites with extreme values, however many sites it has."""
    runs: list[int] = []
    understood = pipeline._understood  # pyright: ignore[reportPrivateUsage]

    def counted(*arguments: Any) -> Outcome:
        runs[-1] += 1
        return understood(*arguments)

    monkeypatch.setattr(pipeline, "_understood", counted)
    for count in (20, 200):
        runs.append(0)
        assert errors_of("name,boxes\n" + "".join(f"s{at:04},{1 + at % 2}\n" for at in range(count))) == []

    assert runs[0] == runs[1] <= 6
