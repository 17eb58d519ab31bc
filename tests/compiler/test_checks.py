"""Rules: a valid spec with one thing changed is refused at the right place, and what only looks wrong is not."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.checks import CHECKS, check
from modelyard.checks.metrics import BUILT_IN, BY_MONITOR, BY_TASK, SMALLER_IS_BETTER
from modelyard.diagnostics import Diagnostic, codes, in_order
from modelyard.load import load
from modelyard.pipeline import Given, Inputs, read
from modelyard.regions import regions
from modelyard.resolve import resolve
from modelyard.spec import System
from modelyard.time_zones import time_zones
from modelyard.validate import validate
from tests.diagnosing import Question, diagnose, places
from tests.specs import VALID_SPEC, changed


def told_of(spec: str) -> tuple[Diagnostic, ...]:
    """What resolve and the rules say about a spec that fits the schema; what comes after them is not asked."""
    document = read(Inputs(Given("system.yaml", spec))).document
    assert document is not None
    assert validate(document) == ()
    system, found = resolve(document, "default")
    return in_order(found if system is None else check(system))


def found_in(spec: str) -> list[str]:
    """Everything that is said about a spec, as `line:column code`."""
    return places(told_of(spec))


def codes_in(spec: str) -> list[str]:
    """The codes of everything that is said about a spec."""
    return [found.code for found in told_of(spec)]


def where(spec: str, text: str, code: str) -> str:
    """What is expected when `code` points at the last occurrence of a text."""
    before = spec[: spec.rindex(text)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))} {code}"


def system_of(spec: str) -> System:
    """The system of a spec that resolves."""
    document, _ = load(spec, "system.yaml")
    assert document is not None
    system, found = resolve(document, "default")
    assert found == ()
    assert system is not None
    return system


def test_the_valid_spec_passes_every_rule() -> None:
    assert found_in(VALID_SPEC) == []


def test_every_rule_says_what_it_asks_for() -> None:
    """A rule's docstring is its line in the table of rules; no rule stands in it twice."""
    assert all((rule.__doc__ or "").splitlines()[0].endswith(".") for rule in CHECKS)
    assert len(set(CHECKS)) == len(CHECKS)


@pytest.mark.parametrize("code", [code for code in codes() if code[1:3] in ("03", "04")])
def test_every_code_has_its_page(code: str) -> None:
    """What is wrong, why, and both ways to write it."""
    page = codes()[code].__doc__ or ""

    assert page.count("Wrong:") == 1
    assert page.count("Right:") == 1


CHANGES = [
    ("provider: kubernetes", "provider: kubernetes\n      tenancy: private-cloud", "kubernetes", "E0401"),
    ("residency: eu\n", "residency: us\n", "us\n", "E0404"),
    ("      residency: eu\n", "", "main:\n", "E0403"),
    ("{vault: {via: external-secrets, store: vault}}", "{}", "secret://vault/pagerduty#fraud", "E0406"),
    ("price: 0.40 USD", "price: 0.40 EUR", "0.40 EUR", "E0409"),
    ("minimum: 2", "minimum: 3", "minimum: 3", "E0417"),
    ("  retention: {captures: 90d, runs: 7d}\n", "", "capture: {sample", "E0419"),
    ("is_fraud: boolean", "fraud: boolean", "is_fraud\n    timestamp", "E0430"),
    ("features: [amount, merchant]", "features: [amount, is_fraud]", "is_fraud]", "E0431"),
    ("max: 20, parallel: 4", "max: 2, parallel: 4", "4}\n      earlyStopping", "E0443"),
    ("metric: auc_pr, goal: maximize", "metric: aucpr, goal: maximize", "aucpr", "E0435"),
    ("metric: auc_pr, goal: maximize", "metric: auc_pr, goal: minimize", "minimize", "E0437"),
    ("max_depth: {int: [3, 12]}", "max_depth: {int: [12, 3]}", "[12, 3]", "E0438"),
    ("needs: [collect], source", "needs: [publish], source", "needs: [publish]", "E0439"),
    ("    steps:\n", "    timeout: 30m\n    steps:\n", "1h", "E0440"),
    ("0 2 * * 0", "0 2 * * 8", '"0 2 * * 8"', "E0444"),
    ("0 6 * * 1", "0 6 30 2 *", '"0 6 30 2 *"', "E0445"),
    ("Europe/Berlin", "Berlin", "Berlin", "E0446"),
    ("champion: 95", "champion: 90", "traffic: {champion", "E0450"),
    ("slo:", "mirror: {to: challenger}\n    slo:", "challenger}\n    slo", "E0451"),
    ("{p99: 50ms,", "{p90: 60ms, p99: 50ms,", "50ms, availability", "E0458"),
    ("      exposure: internal\n", "", "host: scores", "E0457"),
    ("      gateway: {name: edge, namespace: gateways, mirrors: true}\n", "", "internal\n", "E0456"),
    ("checks: {psi: {max: 0.2}", "checks: {rmse: {max: 0.2}", "rmse", "E0465"),
    ("{auc_pr: {min: 0.8}}", "{rmse: {max: 0.8}}", "rmse", "E0436"),
    ("    labels: chargebacks\n", "    labels: scores\n", "scores\n    window", "E0469"),
    ("    reference: {data: transactions, window: 30d}\n", "", "drift:\n", "E0470"),
    ("features: [amount], severity", "features: [amuont], severity", "amuont", "E0471"),
    ("watch: inference.scorer\n    labels", "watch: pipelines.nightly\n    labels", "true, cooldown", "E0473"),
    ("cooldown: 7d", "cooldown: 6d", "6d", "W0475"),
    ("window: 7d", "window: 6d", "window: 6d", "W0476"),
]


@pytest.mark.parametrize(
    ("old", "new", "at", "code"), CHANGES, ids=[f"{code}-{at}" for at, (*_, code) in enumerate(CHANGES)]
)
def test_one_thing_changed(old: str, new: str, at: str, code: str) -> None:
    """The rule points at the place that is wrong, and no other rule has anything to say about it."""
    spec = changed(old, new)

    assert where(spec, at, code) in found_in(spec)
    assert set(codes_in(spec)) - {"W0412"} == {code}


FINE: dict[str, tuple[str, str] | tuple[str, str, tuple[str, str]]] = {
    "a member state lies in its union": ("residency: eu\n", "residency: de\n"),
    "a union with several jurisdictions": ("residency: [eu]", "residency: [ch, eu]"),
    "a metric of the user's own code": (
        "metric: auc_pr, min: 0.82}",
        "metric: cost_saved, min: 0.82}",
        ("    compute: train\n", '    compute: train\n    source: {entrypoint: "fraud.train:main"}\n'),
    ),
    "a smaller metric with an upper bound": ("metric: auc_pr, min: 0.82}", "metric: log_loss, max: 0.3}"),
    "a cooldown as long as the time between two looks": ("cooldown: 3d", "cooldown: 1d"),
    "a window as long as the time between two looks": ("window: 7d", "window: 1w"),
    "the built-in store of secrets": ("key: secret://vault/", "key: secret://kubernetes/"),
    "a secret that this machine reads": (
        VALID_SPEC[VALID_SPEC.index("  mode: on-prem\n") : VALID_SPEC.index("stores:\n")],
        "  mode: local\n",
    ),
    "the day of a month or a weekday": ("0 2 * * 0", "0 2 30 2 0"),
    "links among time zones": ("Europe/Berlin", "Japan"),
    "bounds that meet": ("max_depth: {int: [3, 12]}", "max_depth: {int: [3, 3]}"),
    "drift against the training data": ("reference: {data: transactions, window: 30d}", "reference: {}"),
    "columns that the spec does not know": (
        "    schema: {amount: number, merchant: string, event_time: timestamp, is_fraud: boolean}\n",
        "",
        ("features: [amount], severity", "features: [country], severity"),
    ),
    "page-hinkley for concept drift": (
        "type: prediction-quality",
        "type: concept-drift",
        ("{auc_pr: {min: 0.8}}", "{page_hinkley: {max: 50}}"),
    ),
    "one endpoint on two hosts": ("host: scores.acme.example", "host: scores.acme.example\n      path: /v1"),
    "a pool of one": (
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
        "    pool: small\n",
    ),
    "a rollout in steps where it works": (
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
        "    rollout: {strategy: incremental}\n",
        ("{name: edge, namespace: gateways, mirrors: true}", "{class: cilium}"),
    ),
}


@pytest.mark.parametrize("change", FINE.values(), ids=FINE.keys())
def test_what_only_looks_wrong(change: tuple[str, str] | tuple[str, str, tuple[str, str]]) -> None:
    """Rules stop where sense begins."""
    spec = changed(change[0], change[1], *change[2:])

    assert found_in(spec) == []


def modes(*providers: str) -> str:
    """The valid spec on these targets, in short: `k` is a cluster, `p` a private cloud, `a` AWS, `l` this machine."""
    fields = {
        "k": "provider: kubernetes, residency: eu",
        "p": "provider: kubernetes, residency: eu, tenancy: private-cloud",
        "a": "provider: aws, region: eu-central-1",
        "l": "provider: local",
    }
    shared = "gateway: {class: cilium}, secretStores: {vault: {via: external-secrets, store: vault}}"
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
def test_modes_against_targets(mode: str, targets: str, expected: list[str]) -> None:
    """The table of design: what each mode allows, and what a hybrid needs."""
    assert codes_in(modes(mode, *targets)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "postgresql://app:correct-horse@db.acme.example/app",
        "ghp_" + "a1B2" * 9,
        "xoxb-1234567890-abcdefghij",
        "AIza" + "Sy1-" * 9,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1234",
    ],
)
@pytest.mark.parametrize("place", ["parameters: {note: VALUE}", "parameters: {deep: [{note: VALUE}]}"])
def test_secrets_in_clear(value: str, place: str) -> None:
    """They are found wherever they stand, and no message repeats them."""
    spec = changed("    compute: train\n", f"    compute: train\n    {place.replace('VALUE', value)}\n")
    told = told_of(spec)

    assert [found.code for found in told] == ["E0407"]
    assert all(found.secret and value not in found.message + found.hint for found in told)


@pytest.mark.parametrize(
    "parameters",
    [
        "{password: hunter2}",
        "{warehouse_password: hunter2}",
        "{api_key: 12345678}",
        "{nested: {auth_token: abc}}",
    ],
)
def test_secrets_by_their_name(parameters: str) -> None:
    """What is called a password is one, however short."""
    spec = changed("    compute: train\n", f"    compute: train\n    parameters: {parameters}\n")

    assert codes_in(spec) == ["E0407"]


def test_a_secret_is_not_printed_beside_another_mistake() -> None:
    """What resolve refuses may stand on the same line."""
    old = "{type: custom,"
    spec = changed(
        "  report:\n    type: custom\n",
        "  other: {type: custom, inputs: [trnsactions], source: "
        '{entrypoint: "a:b"}, compute: cpu, parameters: {password: correct-horse}}\n'
        "  report:\n    type: custom\n",
    )
    question = Question(spec)

    assert codes_in(spec) == ["E0301", "E0407"]
    assert "correct-horse" not in diagnose(question)
    assert old in diagnose(question)


@pytest.mark.parametrize(
    "parameters",
    [
        "{max_tokens: 4096}",
        '{pad_token: "<pad>"}',
        '{monotone_constraints: "(1,-1,0)"}',
        "{checkpoint: models/Fraud/2026-11-24/Best/Model/Final}",
        "{digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0ba822cd15d6c15b0f00a08}",
        "{url: https://api.acme.example/v1/rates?base=EUR}",
        "{objective: binary_logistic_with_a_very_long_name_indeed}",
        "{secret_sauce: none}",
    ],
)
def test_what_only_looks_like_a_secret(parameters: str) -> None:
    spec = changed("    compute: train\n", f"    compute: train\n    parameters: {parameters}\n")

    assert codes_in(spec) == []


def test_a_secret_reference_may_come_from_a_variable() -> None:
    """The reference lands where secrets are read, so the variable may hold it."""
    spec = changed("key: secret://vault/pagerduty#fraud", 'key: "${vars.key}"') + 'vars: {key: "secret://vault/x#y"}\n'

    assert found_in(spec) == []


def test_an_unknown_secret_store_is_told_for_every_place_that_reads_it() -> None:
    told = told_of(changed("{vault: {via: external-secrets, store: vault}}", "{valt: {}}"))

    assert {found.code for found in told} == {"E0406"}
    assert {found.hint for found in told} == {"did you mean 'valt'?"}
    assert len(told) == 3  # the lake, the endpoint's token, the channel


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.sets(st.sampled_from("abcdef"), max_size=3), min_size=1, max_size=6
    ).filter(lambda graph: all(needed in graph for needs in graph.values() for needed in needs))
)
def test_circles_are_found_where_there_is_one(graph: dict[str, set[str]]) -> None:
    """As the standard library finds them; and every step that is named waits for the next."""
    steps = "".join(
        f'      {name}: {{needs: [{", ".join(sorted(needs))}], source: {{entrypoint: "a:b"}}}}\n'
        for name, needs in graph.items()
    )
    start, end = VALID_SPEC.index("      collect:"), VALID_SPEC.index("inference:\n")
    system = system_of(VALID_SPEC[:start] + steps + VALID_SPEC[end:])
    told = [found for found in check(system) if found.code == "E0439"]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        circle = told[0].message.removeprefix("these steps wait for each other: ").split(" → ")
        assert circle[0] == circle[-1]
        assert all(later in graph[earlier] for earlier, later in pairwise(circle))
    else:
        assert told == []


def test_pools_agree_on_what_they_share() -> None:
    """Target, image and rollout of all members are those of the first; paths differ."""
    member = "  {name}: {{variants: {{a: {{model: fraud-xgb@champion}}}}, compute: cpu, pool: small{more}}}\n"
    pooled = "".join(
        member.format(name=name, more=more)
        for name, more in (
            ("a", ""),
            ("b", ", endpoint: {path: /a}"),
            ("c", ", endpoint: {path: /a/}"),
            ("d", ", rollout: {strategy: in-place}"),
            ("e", ", source: {image: ghcr.io/acme/serve:1}"),
        )
    )
    spec = VALID_SPEC.replace("monitors:\n", pooled + "monitors:\n", 1)

    assert sorted(codes_in(spec)) == ["E0454", "E0454", "E0455"]


def test_regulated_industries_ask_for_more() -> None:
    """The same system in a bank: what is missing is a warning, and at high risk approvals are needed."""
    bank = ("industry: retail", "industry: banking")
    bare = (
        "    card: {purpose: Ranks card payments by the risk of fraud., limitations: Not for corporate cards.}\n",
        "",
    )
    no_class = (", delay: 45d, classification: pii", ", delay: 45d")
    no_auth = ("      auth: {type: bearer-token, token: secret://vault/scorer#token}\n", "")
    unexplained = ("    explainability: {method: shap}\n", "")
    high = ("risk: limited", "risk: high")
    no_approvals = ("  approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}\n", "")

    assert found_in(changed(*bank)) == []
    assert sorted(codes_in(changed(*bank, bare, no_class, no_auth))) == ["W0422", "W0424", "W0425"]
    assert sorted(codes_in(changed(*bank, high, unexplained))) == ["W0426"]
    assert codes_in(changed(*bank, high, no_approvals)) == ["E0416"]
    assert codes_in(changed(*high, no_approvals)) == []  # retail


def test_public_endpoints_ask_who_is_there() -> None:
    no_auth = ("      auth: {type: bearer-token, token: secret://vault/scorer#token}\n", "")

    assert codes_in(changed("exposure: internal", "exposure: public", no_auth)) == ["E0421"]
    assert codes_in(changed("exposure: internal", "exposure: public")) == []


@pytest.mark.parametrize(
    ("region", "expected"),
    [("eu-central-1", []), ("eu-central-2", ["E0404"]), ("eu-west-2", ["E0404"]), ("eu-nowhere-1", ["E0405"])],
)
def test_cloud_regions_lie_in_a_country(region: str, expected: list[str]) -> None:
    """Zürich and London are called eu, and do not lie in it."""
    assert codes_in(modes("cloud", "a").replace("region: eu-central-1", f"region: {region}")) == expected


def test_regions_name_countries() -> None:
    table = regions()

    assert all(len(country) == 2 for places in table.countries.values() for country in places.values())
    assert table.within("uk", ("gb",))
    assert table.within("de", ("eu",))
    assert not table.within("ch", ("eu",))


def test_time_zones_are_shipped() -> None:
    """A name and a link of the database; the list does not depend on the machine."""
    assert {"Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/UTC"} <= set(time_zones())
    assert not any(" " in name for name in time_zones())


def test_tables_of_metrics_agree() -> None:
    assert SMALLER_IS_BETTER < BUILT_IN
    assert set(BY_MONITOR["prediction-quality"]) == BUILT_IN
    assert set(BY_TASK) == {
        "binary-classification",
        "multiclass-classification",
        "regression",
        "forecasting",
        "ranking",
        "recommendation",
    }


def test_the_runtime_computes_what_the_rules_allow() -> None:
    """The metrics of each task are those that training reports."""
    from modelyard_runtime.scores import SMALLER_IS_BETTER as IN_THE_RUNTIME
    from modelyard_runtime.scores import known_metrics

    assert {task: set(known_metrics(task)) for task in BY_TASK} == {task: set(BY_TASK[task]) for task in BY_TASK}
    assert IN_THE_RUNTIME - {"page_hinkley"} == SMALLER_IS_BETTER
