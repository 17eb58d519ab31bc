"""Tests which spec entries are repeated for each site even though they don't name a target."""

from __future__ import annotations

import pytest

from modelyard.diagnostics import Severity
from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import understand
from modelyard.sites.binding import RUN_WHERE_WATCHED
from modelyard.spec import RULES_ONLY
from modelyard_targets import TARGETS

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: tills}
governance: {owner: {team: stores, email: stores@acme.example}}
deployment:
  mode: on-prem
  placement: {default: centre, training: shops}
  targets:
    centre: {provider: kubernetes, context: centre, capacity: [{count: 2, cpu: 8, memory: 32Gi}]}
    shops:
      provider: kubernetes
      context: "${site.name}"
      capacity: [{count: 2, cpu: 8, memory: 32Gi}]
      sites: {values: {graz: {most: 400}, linz: {most: 600}}}
registry: {adopt: "https://mlflow.acme.example"}
models: {churn: {task: binary-classification, framework: scikit-learn}}
inference:
  till: {target: shops, variants: {live: {model: churn@champion}}, compute: {cpu: 1, memory: 2Gi}}
  web: {variants: {live: {model: churn@champion}}, compute: {cpu: 1, memory: 2Gi}}
pipelines:
  tidy: {type: custom, source: {entrypoint: "shops.tidy:run"}, compute: {cpu: 1, memory: 2Gi}}
monitors:
  speed: {type: performance, watch: inference.till, checks: {p99_ms: {max: 500}}}
"""


def test_the_types_of_monitors_that_follow_what_they_watch_are_those_of_the_typed_spec() -> None:
    assert RUN_WHERE_WATCHED == RULES_ONLY


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ("{max: 500}", '{max: "${site.most}"}', []),  # a performance monitor runs on the target of whatever it watches
        (
            "inference.till, checks: {p99_ms: {max: 500}}",
            'inference.web, checks: {p99_ms: {max: "${site.most}"}}',
            ["E0667"],
        ),
        (
            'source: {entrypoint: "shops.tidy:run"}',
            'source: {entrypoint: "shops.tidy:run"}, parameters: {most: "${site.most}"}',
            [],
        ),
        ("web: {variants", 'web: {endpoint: {host: "${site.name}.acme.example"}, variants', ["E0667"]),
    ],
)
def test_an_entry_has_the_sites_of_the_target_that_it_is_placed_on(old: str, new: str, codes: list[str]) -> None:
    assert old in SPEC
    outcome = understand(Inputs(InputFile("system.yaml", SPEC.replace(old, new))), TARGETS)

    assert [diagnostic.code for diagnostic in outcome.diagnostics if diagnostic.severity is Severity.ERROR] == codes
