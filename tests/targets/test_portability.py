"""Tests that changing provider, region and account moves a system to another cloud, or is refused.

The refusals are listed here.

Every example with a target in a cloud is compiled for each of the other clouds. The rest of the spec is unchanged.
"""

from __future__ import annotations

from collections import Counter

import pytest

from modelyard.diagnostics.base import Severity
from modelyard.pipeline import Inputs, compile_system, understand
from modelyard.portability import Destination, portability
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example, every_example, providers_of
from tests.moved import CLOUDS, NEARBY, Moved, examples_in, moved
from tests.narrowing import present

REFUSED = {
    # Workloads in separate shops read a bucket in the cloud. Only AWS gives them keys for the bucket. The other clouds
    # need to know the issuer of their tokens; Azure reads the issuer over the internet.
    ("plant-and-google-default", "azure"): ["AZURE-E012", "AZURE-E012"],
    ("fraud-detection-default", "gcp"): ["GCP-E012"],
    ("hybrid-default", "gcp"): ["GCP-E012"],
    ("tills-default", "gcp"): ["GCP-E012"],
    ("tills-default", "azure"): ["AZURE-E012"],
    # On Azure, an adopted bucket is a container in an account, and the tables contain neither L4 nor A10G.
    ("fraud-detection-default", "azure"): ["AZURE-E012", "E0504", "E0698"],
    ("hybrid-default", "azure"): ["AZURE-E012", "E0504", "E0698"],
    ("leads-default", "azure"): ["E0504"],
    ("demand-forecasting-aws", "azure"): ["E0698"],
    ("demand-forecasting-azure", "aws"): ["E0698"],
    ("demand-forecasting-azure", "gcp"): ["E0698"],
    # Each cloud describes an adopted network in its own terms.
    ("motor-claims-aws", "gcp"): ["E0202", "E0202", "E0203"],
    ("motor-claims-aws", "azure"): ["E0202", "E0202", "E0203", "E0205"],
    # On Azure, an existing cluster is in a resource group, and its network's DNS zones are in a different group.
    ("tenant-default", "azure"): ["E0202", "E0202"],
    # Google Cloud's IAM does not distinguish two clusters in one project, and its Frankfurt region has no A100 with 80
    # GiB.
    ("recommender-aws", "gcp"): ["E0504", "GCP-E019"],
    # AWS in Ireland has no H100. Azure machines have four A100, or eight H100 with fewer CPUs than requested.
    ("recommender-gcp", "aws"): ["E0504"],
    ("recommender-aws", "azure"): ["E0504", "E0698"],
    ("recommender-gcp", "azure"): ["E0504", "E0698"],
}
"""The error codes for each example that cannot be moved to a certain cloud."""

EXAMPLES = (*every_example(), *(Example(folder.name, None, SYSTEMS) for folder in sorted(SYSTEMS.iterdir())))
MOVES = [
    (example, cloud)
    for example in EXAMPLES
    for providers in [providers_of(example)]
    for cloud in CLOUDS
    if not providers.isdisjoint(CLOUDS) and cloud not in providers
]


@pytest.mark.parametrize(("example", "cloud"), MOVES, ids=str)
def test_example_moves_to_each_other_cloud_or_is_refused(example: Example, cloud: str) -> None:
    inputs = example.inputs()
    overlay = None if inputs.overlay is None else moved(inputs.overlay, cloud)

    outcome = compile_system(Inputs(moved(inputs.spec, cloud), inputs.environment, overlay), TARGETS)

    errors = sorted(problem.code for problem in outcome.diagnostics if problem.severity is Severity.ERROR)
    assert errors == REFUSED.get((str(example), cloud), [])


@pytest.mark.parametrize(("example", "cloud"), MOVES, ids=str)
def test_the_command_refuses_at_least_what_a_changed_text_is_refused_for(example: Example, cloud: str) -> None:
    """The command may report more errors, because it also tries the spec without the other provider's fields."""
    inputs = example.inputs()
    outcome = understand(inputs, TARGETS)
    here = next(target.region for target in present(outcome.system).deployment.targets if target.in_cloud)
    region = next(names[CLOUDS.index(cloud)] for names in NEARBY if here in names)

    (move,) = portability(outcome, inputs, TARGETS, (Destination(cloud, region),)).moves

    codes = [refusal.problem.code for refusal in move.refusals]
    expected = REFUSED.get((str(example), cloud), [])
    assert not Counter(expected) - Counter(codes)
    assert bool(codes) == bool(expected)
    assert (move.score == 100) == (not expected)


@pytest.mark.parametrize("example", [each for cloud in ("gcp", "azure") for each in examples_in(cloud)], ids=str)
def test_every_example_of_a_cloud_runs_on_google_cloud_and_azure(example: Moved) -> None:
    """Where the move alone is refused, the changes in `tests/moved.py` are all that the example needs."""
    outcome = compile_system(example.inputs(), TARGETS)

    assert not outcome.failed, outcome.diagnostics
    assert {target.provider for target in present(outcome.system).deployment.targets} <= {example.cloud, "kubernetes"}
