"""A system moves to another cloud by the provider and region of its targets, or is refused for reasons that are listed.

Every example whose targets are in one cloud is compiled for the other. Nothing else in its text changes.
"""

from __future__ import annotations

import re

import pytest

from modelyard.diagnostics.base import Severity
from modelyard.pipeline import Given, Inputs, compile_system
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example, every_example

REGIONS = {"eu-central-1": "europe-west3", "eu-central-2": "europe-west6", "europe-west4": "eu-west-1"}
"""A region nearby in the other cloud."""

OTHER = {"aws": "gcp", "gcp": "aws"}

REFUSED = {
    # Providers that are not supported yet.
    "demand-forecasting-azure": ["E0602"],
    "fraud-detection-dev": ["E0602"],
    # Workloads in shops of their own read a bucket of the cloud; on Google Cloud they have no identity that opens it.
    "fraud-detection-default": ["GCP-E012"],
    "hybrid-default": ["GCP-E012"],
    "tills-default": ["GCP-E012"],
    # The account and an adopted network are named in each cloud's own terms.
    "leads-default": ["E0209"],
    "leads-on-google-default": ["E0209"],
    "motor-claims-aws": ["E0202", "E0202", "E0203"],
    # IAM of Google Cloud does not tell two clusters of one project apart; its Frankfurt has no A100 with 80 GiB.
    "recommender-aws": ["E0504", "GCP-E019"],
    # AWS in Ireland has no H100.
    "recommender-gcp": ["E0504"],
}
"""The codes of the errors for the examples that do not move."""

_PROVIDER = re.compile(r"\bprovider: (aws|gcp)\b")
_REGION = re.compile(rf"\bregion: ({'|'.join(REGIONS)})\b")


def moved(text: Given) -> Given:
    """Return a spec or an environment for the other cloud."""
    content = text.content.decode() if isinstance(text.content, bytes) else text.content
    other = _PROVIDER.sub(lambda found: f"provider: {OTHER[found[1]]}", content)
    return Given(text.path, _REGION.sub(lambda found: f"region: {REGIONS[found[1]]}", other).encode())


def texts(example: Example) -> list[Given]:
    """Return the spec, and the file of its environment if it has one."""
    given = example.inputs()
    return [given.spec] if given.overlay is None else [given.spec, given.overlay]


EXAMPLES = (*every_example(), *(Example(folder.name, None, SYSTEMS) for folder in sorted(SYSTEMS.iterdir())))
IN_A_CLOUD = [example for example in EXAMPLES if any(moved(text) != text for text in texts(example))]


@pytest.mark.parametrize("example", IN_A_CLOUD, ids=str)
def test_example_moves_to_the_other_cloud_or_is_refused(example: Example) -> None:
    given = example.inputs()
    overlay = None if given.overlay is None else moved(given.overlay)

    outcome = compile_system(Inputs(moved(given.spec), given.environment, overlay), TARGETS)

    errors = sorted(problem.code for problem in outcome.diagnostics if problem.severity is Severity.ERROR)
    assert errors == REFUSED.get(str(example), [])
