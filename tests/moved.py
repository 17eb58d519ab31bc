"""Adapts examples to another cloud: provider, region and account, and what a cloud describes in its own terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from modelyard.pipeline import InputFile, Inputs
from tests.examples import Example, on_aws, on_azure, on_google_cloud

CLOUDS = ("aws", "gcp", "azure")

NEARBY = (
    ("eu-central-1", "europe-west3", "germanywestcentral"),
    ("eu-central-2", "europe-west6", "switzerlandnorth"),
    ("eu-west-1", "europe-west4", "westeurope"),
)
"""Regions in the same part of a continent, one for each cloud."""

ACCOUNTS = ('"123456789012"', "acme-leads", "3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b")
"""An account identifier for each cloud."""

_PROVIDER = re.compile(rf"\bprovider: ({'|'.join(CLOUDS)})\b")
_REGION = re.compile(rf"\bregion: ({'|'.join(region for regions in NEARBY for region in regions)})\b")
_ACCOUNT = re.compile(rf"\baccount: ({'|'.join(ACCOUNTS)})$", re.MULTILINE)

NETWORK = "/subscriptions/6f0c6f2e-9c1d-4d0c-8f7e-0a1b2c3d4e5f/resourceGroups/network"
_VPC = "adopt: vpc-0a1b2c3d4e5f60718"
_SUBNETS = "subnets: [subnet-0a1b2c3d4e5f60718, subnet-0b1c2d3e4f5061728, subnet-0c1d2e3f405162738]"
_STORES = "context: stores-frankfurt"
_ISSUER = f"{_STORES}\n      issuer: https://tokens.acme.example/stores"

EDITS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("fraud-detection-default", "gcp"): {_STORES: _ISSUER},
    ("fraud-detection-default", "azure"): {
        _STORES: _ISSUER,
        "adopt: acme-fraud-lake": "adopt: lake@acmefraud",
        '["L4:1", "A10G:1"]': '["T4:1"]',
        "network: private": "network: private\n      vpc: {cidr: 10.2.0.0/15}",
    },
    ("motor-claims-aws", "gcp"): {
        _VPC: "adopt: shared",
        _SUBNETS: "subnet: nodes\n        pods: pods\n        services: services",
    },
    ("motor-claims-aws", "azure"): {
        _VPC: f"adopt: {NETWORK}/providers/Microsoft.Network/virtualNetworks/shared",
        _SUBNETS: "subnet: nodes\n        endpoints: endpoints\n        apiServer: api-server",
        "default: motor-claims-prod": "default: motor-claims-prod@helvia",
    },
    ("recommender-gcp", "azure"): {
        'towers: {accelerators: "H100:8"}': 'towers: {cpu: 90, disk: 1Ti, accelerators: "H100:8"}',
        "events: {endpoint": "events: {adopt: events@discovery, endpoint",
    },
}
"""What else must change for an example to move: trusted issuers, adopted networks and stores, and machines."""


@dataclass(frozen=True, slots=True)
class Moved:
    """An example on a cloud."""

    example: Example
    cloud: str

    def __str__(self) -> str:
        return f"{self.example}-on-{self.cloud}"

    def inputs(self) -> Inputs:
        """Return the input for compiling the example there."""
        inputs, edits = self.example.inputs(), EDITS.get((str(self.example), self.cloud), {})
        files = [moved(file, self.cloud) for file in (inputs.spec, inputs.overlay) if file is not None]
        assert all(any(before in _content(file) for file in files) for before in edits), edits
        spec, *overlays = (edited(file, edits) for file in files)
        return replace(inputs, spec=spec, overlay=overlays[0] if overlays else None)


def moved(text: InputFile, cloud: str) -> InputFile:
    """Return a spec or an environment file adapted to another cloud."""
    elsewhere = {region: regions[CLOUDS.index(cloud)] for regions in NEARBY for region in regions}
    there = _PROVIDER.sub(
        f"provider: {cloud}", _ACCOUNT.sub(f"account: {ACCOUNTS[CLOUDS.index(cloud)]}", _content(text))
    )
    return InputFile(text.path, _REGION.sub(lambda match: f"region: {elsewhere[match[1]]}", there).encode())


def edited(text: InputFile, edits: Mapping[str, str]) -> InputFile:
    """Return a file with replacements."""
    content = _content(text)
    for before, after in edits.items():
        content = content.replace(before, after)
    return InputFile(text.path, content.encode())


def _content(text: InputFile) -> str:
    return text.content.decode() if isinstance(text.content, bytes) else text.content


def examples_in(cloud: str) -> Iterator[Moved]:
    """Yield every example that has an environment in some cloud, moved to the given one unless it has one there."""
    own = {"aws": on_aws, "gcp": on_google_cloud, "azure": on_azure}[cloud]()
    names = {example.name for example in own}
    nearest = on_google_cloud() if cloud == "azure" else ()
    for example in (*own, *nearest, *on_aws()):
        if example in own or example.name not in names:
            names.add(example.name)
            yield Moved(example, cloud)
