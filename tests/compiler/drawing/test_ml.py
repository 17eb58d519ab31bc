"""Tests that the ML view shows the flow from data through models and endpoints to monitors."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from modelyard.drawing.ml import ml_view
from modelyard.drawing.picture import Arrow, Picture
from tests.plans import large_spec, system_of
from tests.specs import VALID_SPEC, changed

STAGES = """\
    stages:
      candidate: {approvals: none, checks: [auc-pr]}
      champion: {after: candidate, soak: {for: 7d, monitor: quality}, approvals: {from: [model-risk]}}
"""


def drawn(text: str = VALID_SPEC) -> Picture:
    return ml_view(system_of(text))


def arrows(picture: Picture) -> set[str]:
    """Return each arrow of a drawing as text like `data scores -> pipeline report`, with its label in brackets."""
    names = {box.id: f"{box.kind} {box.name}" for box in picture.boxes}
    return {_words(arrow, names) for arrow in picture.arrows}


def _words(arrow: Arrow, names: Mapping[str, str]) -> str:
    line = "~>" if arrow.dashed else "->"
    return f"{names[arrow.source]} {line} {names[arrow.sink]}" + (f" ({arrow.text})" if arrow.text else "")


def test_every_entry_of_the_spec_is_a_box() -> None:
    assert {f"{box.kind} {box.name}" for box in drawn().boxes} == {
        *("data transactions", "data chargebacks", "data scores"),
        *("pipeline retrain", "pipeline try-out", "pipeline nightly", "pipeline report"),
        *("model fraud-xgb@champion", "model fraud-xgb@candidate"),
        *("endpoint scorer", "monitor drift", "monitor quality", "channel oncall"),
    }


def test_arrows_lead_from_data_to_alerts() -> None:
    assert arrows(drawn()) == {
        "data transactions -> pipeline retrain",
        "data transactions -> pipeline try-out",
        "data transactions -> pipeline nightly",
        "data scores -> pipeline report",
        "pipeline nightly -> data scores",
        "model fraud-xgb@champion -> pipeline nightly (scores)",
        "pipeline retrain -> model fraud-xgb@champion (gate, 2 approvals)",
        "pipeline try-out -> model fraud-xgb@candidate (gate, 2 approvals)",
        "model fraud-xgb@champion -> endpoint scorer (champion 95%)",
        "model fraud-xgb@candidate -> endpoint scorer (challenger 5%)",
        "endpoint scorer -> channel oncall (SLO alerts)",
        "endpoint scorer -> monitor drift (captures)",
        "data transactions -> monitor drift (reference)",
        "monitor drift -> channel oncall (alerts)",
        "monitor drift ~> pipeline retrain (starts)",
        "endpoint scorer -> monitor quality (captures)",
        "data chargebacks -> monitor quality (labels)",
        "monitor quality -> channel oncall (alerts)",
        "monitor quality ~> model fraud-xgb@champion (rolls back)",
        "monitor quality ~> model fraud-xgb@candidate (rolls back)",
    }


def test_boxes_show_details() -> None:
    details = {box.name: box.details for box in drawn().boxes}

    assert details["retrain"] == ("training", "cron 0 4 * * 0 Europe/Berlin")
    assert details["try-out"] == ("training", "on demand")
    assert details["report"] == ("custom, 2 steps", "on demand")
    assert details["scorer"] == ("internal endpoint", "scores.acme.example")
    assert details["transactions"] == ("data in lake",)
    assert details["fraud-xgb@champion"] == ("xgboost model",)


def test_stages_are_connected_in_order() -> None:
    text = changed("    explainability: {method: shap}\n", "    explainability: {method: shap}\n" + STAGES)
    edges = arrows(drawn(text.replace("    promoteTo: candidate\n", "")))

    assert "pipeline retrain -> model fraud-xgb@candidate (gate)" in edges
    assert "model fraud-xgb@candidate -> model fraud-xgb@champion (gate, soak 7d, 1 approval)" in edges
    assert "monitor quality ~> model fraud-xgb@champion (judges the soak)" in edges


def test_a_mirror_is_drawn_as_copies() -> None:
    shadow = "traffic: {champion: 100}\n    mirror: {to: challenger}"
    mirrored = changed("traffic: {champion: 95, challenger: 5}", shadow)

    assert "model fraud-xgb@candidate ~> endpoint scorer (challenger shadow 100%)" in arrows(drawn(mirrored))


def test_an_import_is_drawn_as_the_source_of_its_model() -> None:
    imported = """\
  sentiment:
    task: binary-classification
    framework: xgboost
    import: {digest: "sha256:%s", store: lake, path: imports/sentiment}
""" % ("0" * 64)
    edges = arrows(drawn(changed("pipelines:\n", imported + "pipelines:\n")))

    assert "import sentiment -> model sentiment@champion (2 approvals)" in edges


def test_following_pipelines_are_connected() -> None:
    schedule = "    schedule: {after: pipelines.nightly}\n"
    followed = changed("    compute: cpu\n    steps:", f"    compute: cpu\n{schedule}    steps:")

    assert "pipeline nightly -> pipeline report (then)" in arrows(drawn(followed))


def test_boxes_name_their_target_if_there_are_several() -> None:
    details = {box.name: box.details[0] for box in ml_view(system_of(large_spec(2))).boxes}

    assert details["events"] == "data in lake on near"
    assert details["p0"] == "training on near"
    assert details["e0"] == "cluster endpoint on far"


@pytest.mark.parametrize(("environment", "title"), [("prod", "fraud, environment prod"), ("default", "fraud")])
def test_the_title_names_the_system_and_its_environment(environment: str, title: str) -> None:
    assert ml_view(system_of(VALID_SPEC, environment)).title == title
