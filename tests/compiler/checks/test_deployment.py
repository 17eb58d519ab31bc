"""Tests where a system may run, depending on its deployment mode and the countries of its regions."""

from __future__ import annotations

import pytest

from modelyard.checks.regions import regions
from modelyard.diagnostics.check.schedules import time_zone_unknown
from modelyard.source import Span
from tests.compiler.checks.checked_specs import codes_in
from tests.diagnosing import Question, examine
from tests.specs import VALID_SPEC


def modes(*providers: str) -> str:
    """Return the valid spec with the given mode and targets.

    `k` is a cluster, `p` a private cloud, `a` AWS, and `l` this machine.
    """
    gateway = "gateway: {class: cilium, certificate: secret://vault/tls/scores}"
    fields = {
        "k": "provider: kubernetes, residency: eu",
        "p": "provider: kubernetes, residency: eu, tenancy: private-cloud",
        "a": f"provider: aws, region: eu-central-1, {gateway}, secretStores: {{vault: {{via: secrets-manager}}}}",
        "l": "provider: local",
    }
    shared = f"{gateway}, secretStores: {{vault: {{via: external-secrets, store: vault}}}}"
    targets = "".join(
        f"    {name}: {{{fields[name]}{', ' + shared if name in 'kp' else ''}}}\n" for name in providers[1:]
    )
    start, end = VALID_SPEC.index("  mode: on-prem\n"), VALID_SPEC.index("stores:\n")
    placement = f"  placement: {{default: {providers[1]}}}\n"
    return f"{VALID_SPEC[:start]}  mode: {providers[0]}\n  targets:\n{targets}{placement}{VALID_SPEC[end:]}"


@pytest.mark.parametrize(
    ("mode", "targets", "expected"),
    [
        ("cloud", "a", []),
        ("cloud", "p", []),
        ("cloud", "ap", []),
        ("cloud", "k", ["E0401"]),
        ("cloud", "ak", ["E0401"]),
        ("on-prem", "k", []),
        ("on-prem", "p", ["E0401"]),
        ("on-prem", "ka", ["E0401"]),
        ("hybrid", "ka", []),
        ("hybrid", "kp", []),
        ("hybrid", "k", ["E0402"]),
        ("hybrid", "a", ["E0402"]),
        ("hybrid", "kal", ["E0401"]),
        ("local", "l", []),
        ("local", "k", ["E0401"]),
    ],
)
def test_each_mode_allows_only_its_kinds_of_targets(mode: str, targets: str, expected: list[str]) -> None:
    """Each deployment mode only allows certain targets. A hybrid system needs both on-prem and cloud targets."""
    assert codes_in(modes(mode, *targets)) == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [("eu-central-1", []), ("eu-central-2", ["E0404"]), ("eu-west-2", ["E0404"]), ("eu-nowhere-1", ["E0405"])],
)
def test_cloud_regions_have_the_right_country(region: str, expected: list[str]) -> None:
    """Zürich and London have region names starting with eu, but aren't in the EU."""
    assert codes_in(modes("cloud", "a").replace("region: eu-central-1", f"region: {region}")) == expected


def test_every_region_has_a_country() -> None:
    table = regions()

    assert all(len(country) == 2 for places in table.countries.values() for country in places.values())
    assert table.within("uk", ("gb",))
    assert table.within("de", ("eu",))
    assert not table.within("ch", ("eu",))


def test_suggested_regions_are_allowed_by_governance() -> None:
    """A region on another continent is never suggested, no matter how similar its name is."""
    spec = modes("cloud", "a")
    hints: list[str] = []
    for region in ("us-nowhere-1", "eu-centrall-1"):
        diagnostics = examine(Question(spec.replace("region: eu-central-1", f"region: {region}")))
        hints += [diagnostic.hint for diagnostic in diagnostics if diagnostic.code == "E0405"]

    assert hints == [
        "use a region in eu: eu-central-1, eu-north-1, eu-south-1, eu-south-2, \u2026",
        "did you mean 'eu-central-1'?",
    ]


@pytest.mark.parametrize(
    ("zone", "fixed"),
    [("GMT+2", "Etc/GMT-2"), ("UTC+2", "Etc/GMT-2"), ("+02:00", "Etc/GMT-2"), ("UTC-5", "Etc/GMT+5"), ("UTC+0", None)],
)
def test_suggested_zone_has_the_same_utc_offset(zone: str, fixed: str | None) -> None:
    """UTC+2 is called Etc/GMT-2, as signs are reversed in the time zone database."""
    hint = time_zone_unknown(Span("system.yaml", 1, 1, 2), zone, ["Etc/GMT+2", "GMT+0", "Europe/Berlin"]).hint

    assert f" or {fixed or 'UTC'} for a constant UTC" in hint
    assert "did you mean" not in hint
