"""Tests that changing the provider, region and account moves a system to another cloud, or is refused as listed here.

Every example with a target in a cloud is compiled for each of the other clouds. The rest of the spec is unchanged.
"""

from __future__ import annotations

import re
from collections import Counter

import pytest

from modelyard.diagnostics.base import Severity
from modelyard.pipeline import InputFile, Inputs, compile_system, understand
from modelyard.portability import Destination, portability
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example, every_example, providers_of
from tests.narrowing import present

CLOUDS = ("aws", "gcp", "azure")

NEARBY = (
    ("eu-central-1", "europe-west3", "germanywestcentral"),
    ("eu-central-2", "europe-west6", "switzerlandnorth"),
    ("eu-west-1", "europe-west4", "westeurope"),
)
"""Regions in the same part of a continent, one for each cloud."""

ACCOUNTS = ('"123456789012"', "acme-leads", "3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b")
"""An account identifier for each cloud."""

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

_PROVIDER = re.compile(rf"\bprovider: ({'|'.join(CLOUDS)})\b")
_REGION = re.compile(rf"\bregion: ({'|'.join(region for regions in NEARBY for region in regions)})\b")
_ACCOUNT = re.compile(rf"\baccount: ({'|'.join(ACCOUNTS)})$", re.MULTILINE)


def moved(text: InputFile, cloud: str) -> InputFile:
    """Return a spec or an environment file adapted to another cloud."""
    content = text.content.decode() if isinstance(text.content, bytes) else text.content
    elsewhere = {region: regions[CLOUDS.index(cloud)] for regions in NEARBY for region in regions}
    there = _PROVIDER.sub(f"provider: {cloud}", _ACCOUNT.sub(f"account: {ACCOUNTS[CLOUDS.index(cloud)]}", content))
    return InputFile(text.path, _REGION.sub(lambda match: f"region: {elsewhere[match[1]]}", there).encode())


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
    """The command also tries the spec without the other provider's fields, so it may report more errors."""
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
