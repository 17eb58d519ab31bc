"""Tests of acknowledgements: what `modelyard acknowledge` writes, and how `modelyard diff` treats it."""

from __future__ import annotations

import json
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import modelyard_schemas
from modelyard.cli import acknowledge, acknowledged
from modelyard.cli.approve import signed
from modelyard.review.acknowledged import FILE
from tests.compiler.cli.commands import SPEC, CommandResult, Run

TODAY = date(2026, 11, 28)
UNTIL = "2027-01-31"


@pytest.fixture(autouse=True)
def _day(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (acknowledge, acknowledged):
        monkeypatch.setattr(module, "today", lambda: TODAY)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Write the old version of the spec to a file, and return the file."""
    path = tmp_path / "old.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def system(system: Path) -> Path:
    """Return the folder with a new version that turns lineage off."""
    _write(system, SPEC.replace("governance: {", "governance: {lineage: false, "))
    return system


def _write(folder: Path, text: str) -> None:
    (folder / "system.yaml").write_text(text, encoding="utf-8")


def _report(run: Run, old: Path, new: Path) -> tuple[int, dict[str, Any], dict[str, Any]]:
    """Return the exit code and the report of a diff, and its findings by code."""
    result = run("diff", old, new, "--format", "json")
    report = json.loads(result.out)
    jsonschema_rs.validate(modelyard_schemas.load("review"), report)
    return result.code, report, {finding["code"]: finding for finding in report["findings"]}


def _accept(
    run: Run, old: Path, new: Path, *more: str, by: str = "ada@acme.example", until: str = UNTIL
) -> CommandResult:
    fingerprint = _report(run, old, new)[2]["R246"]["fingerprint"]
    arguments = ("--by", by, "--reason", "recorded elsewhere: see *wiki*", "--until", until, "--against", str(old))
    return run("acknowledge", new, fingerprint, *arguments, *more)


def test_an_accepted_danger_does_not_fail_and_shows_who_accepted_it(run: Run, old: Path, system: Path) -> None:
    assert _report(run, old, system)[0] == 1
    assert _accept(run, old, system).code == 0
    code, report, findings = _report(run, old, system)

    assert (code, report["verdict"]) == (0, "note")
    assert findings.keys() == {"R246", "R523"}  # R523 is the note on changes that `pulumi up` makes in place
    assert findings["R246"]["accepted"] == [
        {"by": "ada@acme.example", "reason": "recorded elsewhere: see *wiki*", "until": UNTIL, "group": ""}
    ]
    text = run("diff", old, system).out
    assert "1 danger (accepted)" in text
    assert f"accepted by ada@acme.example until {UNTIL}: recorded elsewhere: see *wiki*" in text
    assert r"see \*wiki\*" in run("diff", old, system, "--format", "markdown").out


def test_every_format_shows_what_is_accepted(run: Run, old: Path, system: Path) -> None:
    """An accepted danger is suppressed in SARIF, so that code scanning closes it, and isn't an error in annotations."""
    _accept(run, old, system)
    formats = {form: run("diff", old, system, "--format", form).out for form in ("sarif", "github", "html")}
    results = {entry["ruleId"]: entry for entry in json.loads(formats["sarif"])["runs"][0]["results"]}
    annotations = [line for line in formats["github"].splitlines() if "R246" in line]

    assert [entry["status"] for entry in results["R246"]["suppressions"]] == ["accepted"]
    assert "ada@acme.example" in results["R246"]["suppressions"][0]["justification"]
    assert [line.split()[0] for line in annotations] == ["::notice"]
    assert f"by ada@acme.example until {UNTIL}" in formats["html"]


def test_another_value_needs_another_acknowledgement(run: Run, old: Path, system: Path) -> None:
    """Acknowledging an earlier state of the change fails, and shows the fingerprint of the current state."""
    _accept(run, old, system)
    _write(
        system,
        SPEC.replace("name: churn}", "name: churn}\nprofile: {size: small}").replace(
            "governance: {", "governance: {lineage: false, risk: minimal, "
        ),
    )
    (system / FILE).write_text(
        (system / FILE).read_text(encoding="utf-8").replace("code: R246", "code: R251"), encoding="utf-8"
    )
    code, _, findings = _report(run, old, system)

    assert code == 1
    assert "is for a different change" in findings["R922"]["message"]
    assert findings["R251"]["fingerprint"] in findings["R922"]["why"]
    assert findings["R922"]["places"]["after"]["file"] == str(system / FILE)


def test_an_entry_that_ended_fails_and_accepts_nothing(
    run: Run, old: Path, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _accept(run, old, system, until="2026-11-28")
    assert _report(run, old, system)[0] == 0  # the last day counts
    monkeypatch.setattr(acknowledged, "today", lambda: date(2026, 11, 29))
    code, _, findings = _report(run, old, system)

    assert code == 1
    assert "expired on 2026-11-28" in findings["R920"]["message"]
    assert "accepted" not in findings["R246"]


def test_an_entry_without_use_is_a_note(run: Run, old: Path, system: Path) -> None:
    """Once the change has been merged, its acknowledgement has no effect and causes no failure."""
    _accept(run, old, system)
    code, report, findings = _report(run, system, system)

    assert (code, report["verdict"]) == (0, "note")
    assert "accepts nothing in this change" in findings["R921"]["message"]


@pytest.mark.parametrize(
    "text",
    [
        "acknowledged: {}\n",
        "- code: R246\n",
        "acknowledged: [1]\n",
        "acknowledged: [{code: R246}]\n",
        "acknowledged: [{code: R246, fingerprint: 68f15c1d624c, by: a, reason: b, until: '2027-01-31'}]\n",
        f"acknowledged: [{{code: R246, fingerprint: '{'a' * 40}', by: a, reason: b, until: soon}}]\n",
        f"acknowledged: [{{code: R246, fingerprint: '{'a' * 40}', by: '', reason: b, until: '2027-01-31'}}]\n",
        f"acknowledged: [{{code: R246, fingerprint: '{'a' * 40}', by: a, reason: b, until: '2027-01-31', level: 1}}]\n",
        "acknowledged: [",
    ],
)
def test_a_file_that_cannot_be_read_is_a_danger(run: Run, old: Path, system: Path, text: str) -> None:
    (system / FILE).parent.mkdir()
    (system / FILE).write_text(text, encoding="utf-8")
    code, _, findings = _report(run, old, system)

    assert code == 1
    assert findings["R923"]["level"] == "danger"


def test_nothing_is_added_to_a_file_with_an_invalid_entry(run: Run, old: Path, system: Path) -> None:
    """Acknowledging would be useless, as the invalid entry would still make `diff` fail."""
    text = (
        "acknowledged:\n"
        f"- {{code: R101, fingerprint: {'b' * 40}, by: bob, reason: load test, until: '{UNTIL}'}}\n"
        f"- {{code: R201, fingerprint: {'c' * 40}, by: bob, reason: pilot, until: soon}}\n"
    )
    (system / FILE).parent.mkdir()
    (system / FILE).write_text(text, encoding="utf-8")
    result = _accept(run, old, system)

    assert result.code == 1
    assert "error[E0721]: an acknowledgement is not valid: until must be a date such as 2027-01-31" in result.err
    assert f"{system / FILE}:3:3" in result.err
    assert "correct the entry, or remove it" in result.err
    assert (system / FILE).read_text(encoding="utf-8") == text


def test_a_link_out_of_the_repository_is_not_read(run: Run, old: Path, system: Path) -> None:
    (system / FILE).parent.mkdir()
    (system / FILE).symlink_to("/etc/passwd")
    code, _, findings = _report(run, old, system)

    assert code == 1
    assert "R923" in findings


def test_comments_and_order_of_the_file_are_kept(run: Run, old: Path, system: Path) -> None:
    other = f"  - {{until: '{UNTIL}', by: bob, code: R101, fingerprint: {'b' * 40}, reason: load test}}  # until May\n"
    before = f"# guarded by code owners\nacknowledged:\n{other}"
    (system / FILE).parent.mkdir()
    (system / FILE).write_text(before, encoding="utf-8")

    assert _accept(run, old, system).code == 0
    after = (system / FILE).read_text(encoding="utf-8")
    assert after.startswith(f"{before}  - code: R246\n    fingerprint: ")
    assert _report(run, old, system)[0] == 0


def test_a_file_that_does_not_end_with_its_list_is_left_alone(run: Run, old: Path, system: Path) -> None:
    (system / FILE).parent.mkdir()
    text = f"acknowledged: [{{until: '{UNTIL}', by: bob, code: R101, fingerprint: {'b' * 40}, reason: load test}}]\n"
    (system / FILE).write_text(text, encoding="utf-8")
    result = _accept(run, old, system)

    assert result.code == 1
    assert "add this one by hand" in result.err
    assert (system / FILE).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("fingerprint", "until", "reason", "message"),
    [
        ("0123456789ab", UNTIL, "why", "no danger and nothing to review has the fingerprint"),
        ("0123", UNTIL, "why", "a fingerprint has at least 12 digits"),
        ("", "2026-11-27", "why", "--until must be a day from today on"),
        ("", "tomorrow", "why", "--until must be a day from today on"),
        ("", UNTIL, " ", "--reason must not be empty"),
    ],
)
def test_what_cannot_be_accepted_is_explained(
    run: Run, old: Path, system: Path, fingerprint: str, until: str, reason: str, message: str
) -> None:
    typed = fingerprint or _report(run, old, system)[2]["R246"]["fingerprint"]
    options = ("--by", "ada", "--reason", reason, "--until", until, "--against", old)
    result = run("acknowledge", system, typed, *options)

    assert result.code == 1
    assert message in result.err
    assert not (system / FILE).exists()


def _key(folder: Path, name: str) -> tuple[Path, str]:
    """Create an SSH key, and return its path and public half."""
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@acme.example", "-f", path], check=True
    )
    return path, path.with_name(f"{name}.pub").read_text(encoding="utf-8").strip()


def _guarded(groups: dict[str, str], minimum: int = 1, more: str = "") -> str:
    """Return the spec with required approvals by the given groups, each of which has one key."""
    keys = ", ".join(f'{name}: {{sshKeys: ["{line}"]}}' for name, line in groups.items())
    approvals = f"approvals: {{promote: {{from: [{', '.join(groups)}], minimum: {minimum}}}}}"
    return SPEC.replace("governance: {", f"governance: {{{approvals}, approvers: {{{keys}}}, {more}")


def test_where_promotions_need_approvals_only_signatures_count(
    run: Run, old: Path, system: Path, tmp_path: Path
) -> None:
    """Acknowledging a danger takes as many groups' signatures as a promotion. Each group counts once."""
    (ada, risk), (eve, growth) = (_key(tmp_path, name) for name in ("ada", "eve"))
    groups = {"risk": risk, "growth": growth}
    old.write_text(_guarded(groups, 2), encoding="utf-8")
    _write(system, _guarded(groups, 2, "lineage: false, "))

    unsigned = _accept(run, old, system)
    assert unsigned.code == 0
    assert unsigned.err.endswith("\n  it still needs 2 signatures from growth, risk; sign with --key\n")
    assert "lacks signatures" in _report(run, old, system)[2]["R924"]["message"]
    one_more = "  it still needs 1 signature from growth; sign with --key\n"
    for signer, code, needed in ((ada, 1, one_more), (ada, 1, one_more), (eve, 0, "")):
        result = _accept(run, old, system, "--key", str(signer), by="")
        assert result.code == 0
        assert "".join(result.err.partition("  it still needs")[1:]) == needed
        assert _report(run, old, system)[0] == code
    accepted = _report(run, old, system)[2]["R246"]["accepted"]
    assert [(acceptance["by"], acceptance["group"]) for acceptance in accepted] == [
        ("ada@acme.example", "risk"),
        ("ada@acme.example", "risk"),
        ("eve@acme.example", "growth"),
    ]


def test_the_team_that_owns_the_system_is_not_enough_alone(run: Run, old: Path, system: Path, tmp_path: Path) -> None:
    (_, risk), (eve, growth) = (_key(tmp_path, name) for name in ("ada", "eve"))
    groups = {"risk": risk, "growth": growth}
    old.write_text(_guarded(groups), encoding="utf-8")
    _write(system, _guarded(groups, 1, "lineage: false, "))
    _accept(run, old, system, "--key", str(eve))
    code, _, findings = _report(run, old, system)

    assert code == 1
    assert findings["R924"]["why"].endswith("and growth alone is not enough")


def _accept_any_key(_path: str, _required: object) -> None:
    """Take the place of the check whether a signature would count."""


def test_a_change_cannot_add_a_key_and_sign_with_it(
    run: Run, old: Path, system: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, risk), (mallory, own) = _key(tmp_path, "ada"), _key(tmp_path, "mallory")
    old.write_text(_guarded({"risk": risk}), encoding="utf-8")
    _write(system, _guarded({"risk": own}, 1, "lineage: false, "))
    refused = _accept(run, old, system, "--key", str(mallory))
    assert refused.code == 1
    assert "the key of mallory@acme.example is in no group that may sign" in refused.err
    assert not (system / FILE).exists()
    monkeypatch.setattr(acknowledge, "_check_group", _accept_any_key)  # such an entry can be written by other means
    _accept(run, old, system, "--key", str(mallory))
    code, _, findings = _report(run, old, system)

    assert code == 1
    assert "accepted" not in findings["R246"]
    assert "by keys that the old version lists" in findings["R924"]["why"]


def test_a_signed_entry_replaces_the_unsigned_entry_of_the_same_person(
    run: Run, old: Path, system: Path, tmp_path: Path
) -> None:
    """The rest of the file stays as it is."""
    ada, risk = _key(tmp_path, "ada")
    old.write_text(_guarded({"risk": risk}), encoding="utf-8")
    _write(system, _guarded({"risk": risk}, 1, "lineage: false, "))
    _accept(run, old, system)
    other = f"\n# bob\n- {{until: '{UNTIL}', by: bob, code: R101, fingerprint: {'b' * 40}, reason: load test}}\n"
    unsigned = f"# owned by risk\n{(system / FILE).read_text(encoding='utf-8')}"
    (system / FILE).write_text(f"{unsigned}{other}", encoding="utf-8")
    assert _accept(run, old, system, "--key", str(ada)).code == 0

    text = (system / FILE).read_text(encoding="utf-8")
    assert text.startswith(unsigned)
    assert text.removeprefix(unsigned).startswith("  signature: ")
    assert text.endswith(other)
    assert text.count("code: R246") == 1


def test_signing_prints_nothing_about_temporary_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    ada, _ = _key(tmp_path, "ada")
    signed({"action": "accept"}, ada)

    assert capfd.readouterr() == ("", "")


def test_an_entry_that_was_changed_after_it_was_signed_does_not_count(
    run: Run, old: Path, system: Path, tmp_path: Path
) -> None:
    ada, risk = _key(tmp_path, "ada")
    old.write_text(_guarded({"risk": risk}), encoding="utf-8")
    _write(system, _guarded({"risk": risk}, 1, "lineage: false, "))
    _accept(run, old, system, "--key", str(ada))
    assert _report(run, old, system)[0] == 0
    file = system / FILE
    file.write_text(file.read_text(encoding="utf-8").replace(UNTIL, "2099-01-31"), encoding="utf-8")
    code, _, findings = _report(run, old, system)

    assert code == 1
    assert "is not valid" in findings["R924"]["message"]


def test_high_risk_needs_a_signature_although_nobody_approves_promotions(run: Run, old: Path, system: Path) -> None:
    """If the old version lists no groups of approvers, nobody can sign."""
    old.write_text(SPEC.replace("governance: {", "governance: {risk: high, "), encoding="utf-8")
    _accept(run, old, system)
    _, _, findings = _report(run, old, system)

    assert "accepted" not in findings["R246"]
    assert findings["R924"]["why"] == "the old version lists no group that may sign it, other than the owner's"


def test_a_new_environment_has_the_rules_of_the_old_version(run: Run, old: Path, system: Path, tmp_path: Path) -> None:
    """A new overlay that weakens a safeguard of the base needs the signatures required by the base."""
    ada, risk = _key(tmp_path, "ada")
    guarded = _guarded({"risk": risk})
    old.write_text(guarded, encoding="utf-8")
    overlay = "  red: {governance: {lineage: false, approvals: null, approvers: null}}\n"
    _write(system, guarded + overlay)
    dangers = [finding for finding in _report(run, old, system)[1]["findings"] if finding["level"] == "danger"]
    for signer in ((), ("--key", str(ada))):
        assert _report(run, old, system)[0] == 1
        for danger in dangers:
            options = ("--by", "ada", "--reason", "a trial", "--until", UNTIL, "--against", old, *signer)
            assert run("acknowledge", system, danger["fingerprint"], *options).code == 0

    assert {"R246", "R243"} <= {danger["code"] for danger in dangers}
    assert _report(run, old, system)[0] == 0


def test_a_base_that_no_longer_compiles_still_says_who_signs(run: Run, old: Path, system: Path, tmp_path: Path) -> None:
    """If the base's rules were lost, a new environment would get another's, which might require no signature."""
    guarded, compute = _guarded({"risk": _key(tmp_path, "ada")[1]}), "compute: {cpu: 1, memory: 2Gi}"
    free = "governance: {approvals: null, approvers: null"
    guarded = guarded.replace("prod: {", f"prod: {{{free}}}, ")
    old.write_text(guarded, encoding="utf-8")
    later = guarded.replace(f"    {compute}\n", "").replace("score: {replicas", f"score: {{{compute}, replicas")
    _write(system, f"{later}  red: {{{free}, lineage: false}}, inference: {{score: {{{compute}}}}}}}\n")
    assert _accept(run, old, system).code == 0
    _, _, findings = _report(run, old, system)

    assert "accepted" not in findings["R246"]
    assert "lacks signatures" in findings["R924"]["message"]
    assert findings["R912"]["before"] == "default"
