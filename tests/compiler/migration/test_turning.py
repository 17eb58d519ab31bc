"""Tests the phases that move requests: what the dual run sends to each endpoint type, and when promoters run."""

from __future__ import annotations

import json
import re
import subprocess

from modelyard.inputs import InputFile, Inputs
from modelyard.migration.planning import planned
from modelyard.migration.records import Migration, Step
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.pipeline import compile_system
from modelyard.portability import Destination
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS

SPEC = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: support}
governance: {owner: {team: support, email: support@acme.example}}
deployment: {mode: cloud, provider: aws, region: eu-central-1}
stores: {lake: {type: object}, runs: {type: database}}
registry: {database: runs, artifacts: lake}
models:
  chat:
    task: text-generation
    framework: transformers
    import:
      store: lake
      path: incoming/chat/1
      digest: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
inference:
  assistant:
    variants: {live: {model: chat@champion}}
    compute: {cpu: 8, memory: 16Gi}
    generation: {contextLength: 4096, maxTokens: 512, concurrency: 4}
"""


def plan(text: str = SPEC) -> Migration:
    """Return the plan for moving the whole system to Google Cloud."""
    inputs = Inputs(InputFile("system.yaml", text))
    old = Side(inputs, compile_system(inputs, TARGETS))
    wish = MoveRequest(("main",), Destination("gcp", "europe-west3"), "gcp", {})
    return planned(sides_of(wish, old, TARGETS), (".",), "migration", TARGETS, NO_USAGE)[0]


def test_the_new_sides_promoter_runs_only_while_no_registry_is_copied() -> None:
    """If the promoter ran then, it would register an imported model first, and the copy would be refused."""
    phases = {phase.name: phase for phase in plan().phases}
    new = "support-gcp-main"

    def order(steps: tuple[Step, ...]) -> list[str]:
        """Return what the commands do to the new side's promoter and registry, in order."""
        lines = [line for step in steps for line in step.commands if new in line]
        words = {'"suspend": true': "suspend", '"suspend": false': "resume", " import ": "import"}
        return [word for line in lines for part, word in words.items() if part in line]

    assert order(phases["4-workloads"].do) == ["suspend"]
    assert order(phases["5-data"].do) == []
    assert order(phases["6-registry"].do) == ["suspend", "import", "resume"]
    assert order(phases["8-freeze"].do) == ["suspend", "import"]
    assert order(phases["9-cut-over"].do) == ["resume"]
    assert [order(phases[name].undo) for name in ("6-registry", "8-freeze", "9-cut-over")] == [
        ["suspend"],
        ["resume"],
        ["suspend"],
    ]
    for name in ("4-workloads", "8-freeze"):
        (check,) = [step for step in phases[name].check if "promoter is suspended" in step.text]
        assert check.expect == "True in each line"
        assert all(" get cronjobs promoter " in line and new in line for line in check.commands)


def test_answers_of_a_language_model_are_compared_by_their_texts() -> None:
    """A response also says when its side loaded the model, and these times never match on both sides."""
    migration = plan()
    (step,) = [step for phase in migration.phases for step in phase.do if "assistant.json" in step.text]
    asked = [line for line in step.commands if line.startswith("curl ")]

    assert all("http://127.0.0.1:8000/v1/chat/completions | python " in line for line in asked)
    filters = [line.partition(" | ")[2].partition(" > ")[0] for line in asked]
    answers = [
        subprocess.run(["bash", "-c", one], input=json.dumps(_answer(at)), capture_output=True, text=True, check=True)
        for at, one in enumerate(filters)
    ]
    assert answers[0].stdout == answers[1].stdout
    assert '"content": "Hello"' in answers[0].stdout


def _answer(created: int) -> dict[str, object]:
    message = {"role": "assistant", "content": "Hello"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": f"chatcmpl-{created}", "created": created, "model": "assistant", "choices": choices}


def test_a_move_between_the_same_buckets_copies_costs_and_undoes_nothing() -> None:
    """If both sides can reach an adopted bucket, both use it, so there's nothing to copy."""
    text = SPEC.replace("lake: {type: object}", "lake: {type: object, ADOPTED}").replace(
        "ADOPTED", 'adopt: chats, endpoint: "https://s3.acme.example", credentials: "secret://vault/lake"'
    )
    text = text.replace("region: eu-central-1", "region: eu-central-1, secretStores: {vault: {via: secrets-manager}}")
    phases = {phase.name: phase for phase in plan(text).phases}

    data, watch = phases["5-data"], phases["10-watch"]
    assert [step.text for step in data.undo] == ["Nothing was copied, so there is nothing to undo."]
    assert (data.takes, data.costs, watch.costs) == ("no time", "nothing", "both floors")
    assert not any(step.commands for step in (*data.do, *data.check, *data.undo, *watch.do))
    for phase in (data, watch, phases["9-cut-over"]):
        assert not any("copy back what" in step.text for step in (*phase.do, *phase.undo)), phase.name


ADAPTED = (
    SPEC.replace(
        "  chat:\n", "  tone: {task: text-generation, framework: transformers, base: chat@champion}\n  chat:\n"
    ).replace("    compute: {cpu: 8", "    adapters: {support: tone@champion}\n    compute: {cpu: 8")
    + """\
data:
  letters:
    {store: lake, path: letters, format: parquet, features: [question], label: reply,
     schema: {question: string, reply: string}}
pipelines: {tune: {type: training, model: tone, inputs: [letters], compute: {cpu: 8, memory: 32Gi}}}
"""
)


def test_adapters_are_compared_like_the_endpoints_model() -> None:
    """The same request names the adapter instead of the endpoint, and the texts from both sides are compared."""
    (dual,) = [phase for phase in plan(ADAPTED).phases if phase.name == "7-dual-run"]
    (step,) = [step for step in dual.do if "assistant.json" in step.text]
    asked = [line for line in step.commands if " support < assistant.json | curl " in line]
    compared = next(step for step in dual.check if step.commands)

    assert [line.split(" > ")[1].split(";")[0] for line in asked] == [
        "assistant.support-old.json",
        "assistant.support-new.json",
    ]
    assert compared.commands == (
        "diff assistant-old.json assistant-new.json",
        "diff assistant.support-old.json assistant.support-new.json",
    )
    assert "last digits of a number" not in compared.text
    naming = asked[0].partition(" < ")[0]
    sent = subprocess.run(
        ["bash", "-c", naming], input='{"model": "assistant", "seed": 1}', capture_output=True, text=True, check=True
    )
    assert json.loads(sent.stdout) == {"model": "support", "seed": 1}


def test_callers_of_an_endpoint_without_a_host_get_its_new_address() -> None:
    """Traffic weights and DNS need a host, and the old cluster can't reach a Service in the new one."""
    (cut_over,) = [phase for phase in plan().phases if phase.name == "9-cut-over"]
    (step,) = [step for step in cut_over.do if step.text.startswith("assistant: ")]

    assert re.search(r"the Service http://[a-z-]+-serve-svc\.[a-z-]+\.svc\.cluster\.local:8000/", step.text), step.text
    assert "Callers inside the old cluster cannot reach a Service in the new one" in step.text
    texts = [*cut_over.before, *(step.text for step in (*cut_over.do, *cut_over.undo))]
    assert not any(word in text for text in texts for word in ("DNS", "TTL", "weights"))


def test_a_secret_that_two_namespaces_read_is_stored_once() -> None:
    """The on-call channel's Secret is read in both the system's and the alerts' namespaces."""
    text = SPEC.replace("email: support@acme.example", "email: support@acme.example, oncall: duty")
    text = text.replace("region: eu-central-1", "region: eu-central-1, secretStores: {vault: {via: secrets-manager}}")
    text += 'channels: {duty: {type: pagerduty, key: "secret://vault/pagerduty#duty"}}\n'
    (secrets,) = [phase for phase in plan(text).phases if phase.name == "2-secrets"]

    stored = [step.text for step in secrets.do if "pagerduty" in step.text]
    assert len(stored) == 1
    assert len([step for step in secrets.check if "pagerduty" in step.text]) == 2
