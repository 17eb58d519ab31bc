"""`modelyard diff`: what a change of a spec means, for whoever reviews it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Mapping

from modelyard.cli.console import report, say, wants_colour
from modelyard.cli.git import GitError, default_revision, merge_base
from modelyard.cli.inputs import SPEC_NAMES, environment_names, gather, other_file
from modelyard.diagnostics import Diagnostic, Severity, has_errors
from modelyard.inputs import BASE_FOLDER, LOCK_NAME, Given, Inputs
from modelyard.pipeline import Outcome, opened, understand
from modelyard.records import record, replace
from modelyard.review.comparing import Review, compared, introduced
from modelyard.review.findings import Level
from modelyard.review.pins import Locks
from modelyard.review.previews import Preview, read_previews
from modelyard_targets import TARGETS

_LEVELS = {level.word: level for level in Level}


def run(arguments: argparse.Namespace) -> int:
    """Print what changes. Returns 1 if a finding reaches `--fail-on`, or if a version cannot be judged."""
    if arguments.new is not None and arguments.against is not None:
        say("error: --against compares with a revision, and NEW with a file; use one of them")
        return 1
    new = arguments.spec if arguments.new is None else arguments.new
    after, problems = _gathered(arguments, new)
    if after is None or problems:
        return _refused(arguments, problems)
    try:
        before, problems = _before(arguments, after)
    except GitError as problem:
        say(f"error: git: {problem}")
        return 1
    if problems:
        return _refused(arguments, problems)
    previews, problems = _previews(arguments.preview)
    if problems:
        return _refused(arguments, problems)
    compiled = _compiled(before, after, arguments.env)
    problems = _foreign(previews, compiled)
    if problems:
        return _refused(arguments, problems)
    review = _review(before, after, compiled, previews)
    _print(review, arguments)
    limit = {"danger": Level.DANGER, "review": Level.REVIEW}.get(arguments.fail_on)
    return int(bool(review.unjudged) or (limit is not None and bool(review.findings) and review.worst >= limit))


@record
class Version:
    """One version of a spec: its inputs, and its lock."""

    inputs: Inputs
    lock: bytes = b""


def _refused(arguments: argparse.Namespace, problems: Iterable[Diagnostic]) -> int:
    form = arguments.format if arguments.format == "json" else "text"
    report(tuple(problems), (), form, arguments.color)
    return 1


def _gathered(arguments: argparse.Namespace, spec: str) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Read a version from disk."""
    from modelyard.cli.locking import read_lock

    inputs, problems = gather(argparse.Namespace(spec=spec, env=arguments.env, set=arguments.set), every=True)
    return (None if inputs is None else Version(inputs, read_lock(inputs))), problems


def _before(arguments: argparse.Namespace, after: Version) -> tuple[Version | None, tuple[Diagnostic, ...]]:
    """Read the version to compare with: the first path, or the revision. A spec that is new there has no version."""
    if arguments.new is not None:
        return _gathered(arguments, arguments.spec)
    return _committed(arguments.against, after), ()


def _committed(name: str | None, after: Version) -> Version | None:
    """Return the version at the merge base of HEAD and a revision, or None if there is no spec yet."""
    path = after.inputs.spec.path
    folder = os.path.dirname(path) or "."
    revision = merge_base(folder, default_revision(folder) if name is None else name)
    label = (name or revision.name).removeprefix("refs/remotes/").removeprefix("refs/heads/")

    def given(file: str, content: bytes) -> Given:
        return Given(f"{label}:{os.path.normpath(os.path.join(folder, file))}", content)

    own = os.path.basename(path)
    specs = {file: content for candidate in (own, *SPEC_NAMES) for file, content in revision.files(candidate).items()}
    if not specs:
        return None
    file, content = next(iter(specs.items()))
    overlays = {
        os.path.splitext(os.path.basename(one))[0]: given(one, text)
        for one, text in revision.files("environments").items()
        if os.path.splitext(one)[1] == ".yaml" and os.path.dirname(one) == "environments"
    }
    approvals = sorted((one, text) for one, text in revision.files("approvals").items() if one.endswith(".json"))
    inputs = replace(
        after.inputs,
        spec=given(file, content),
        beside=overlays,
        overlay=overlays.get(after.inputs.environment or ""),
        approvals=tuple(given(one, text) for one, text in approvals),
    )
    return Version(inputs, revision.files(LOCK_NAME).get(LOCK_NAME, b""))


@record
class _Compiled:
    """What both versions compile to, by environment. The old version is empty if there was none."""

    before: dict[str, Outcome]
    after: dict[str, Outcome]


def _compiled(before: Version | None, after: Version, environment: str | None) -> _Compiled:
    new = _outcomes(after.inputs, environment)
    old = {} if before is None else _outcomes(before.inputs, environment)
    if _is_left_out(new) or _is_left_out(old):
        new.pop(BASE_FOLDER, None)
        old.pop(BASE_FOLDER, None)
    return _Compiled(old, new)


def _review(before: Version | None, after: Version, compiled: _Compiled, previews: tuple[Preview, ...]) -> Review:
    if before is None:
        return introduced(compiled.after)
    return compared(compiled.before, compiled.after, TARGETS, Locks(before.lock, after.lock), previews)


def _previews(paths: Iterable[str]) -> tuple[tuple[Preview, ...], tuple[Diagnostic, ...]]:
    """Read the previews that the arguments name."""
    files: list[Given] = []
    wrong: tuple[Diagnostic, ...] = ()
    for path in paths:
        given, problems = other_file(path)
        files += [given] if given is not None else []
        wrong += problems
    found, problems = read_previews(files)
    return found, (*wrong, *problems)


def _foreign(previews: tuple[Preview, ...], compiled: _Compiled) -> tuple[Diagnostic, ...]:
    """Return the errors about previews of stacks that neither version has."""
    if not previews:
        return ()
    from modelyard.review.preview_findings import foreign

    return tuple(foreign(previews, (*compiled.before.values(), *compiled.after.values()), TARGETS))


def _outcomes(inputs: Inputs, environment: str | None) -> dict[str, Outcome]:
    """Compile the chosen environment, or the base and every environment."""
    if environment is not None:
        return {environment: understand(inputs, TARGETS)}
    spec = opened(inputs)
    outcomes = {BASE_FOLDER: understand(inputs, TARGETS, spec)}
    for name in environment_names(inputs, spec.document):
        picked = replace(inputs, environment=name, overlay=inputs.beside.get(name))
        outcomes[name] = understand(picked, TARGETS, spec)
    return outcomes


def _is_left_out(outcomes: Mapping[str, Outcome]) -> bool:
    """Return whether the base only lacks what every environment adds."""
    base = outcomes.get(BASE_FOLDER)
    errors = [] if base is None else [one for one in base.diagnostics if one.severity is Severity.ERROR]
    return len(outcomes) > 1 and bool(errors) and all(one.lacks for one in errors)


def _print(review: Review, arguments: argparse.Namespace) -> None:
    lowest = _LEVELS[arguments.level]
    if arguments.format == "json":
        from modelyard.printing.review_json import review_json

        sys.stdout.write(review_json(review, lowest))
    elif arguments.format == "markdown":
        from modelyard.printing.review_markdown import review_markdown

        sys.stdout.write(review_markdown(review, lowest))
    else:
        from modelyard.printing.review_text import review_text

        sys.stdout.write(review_text(review, lowest, wants_colour(sys.stdout, arguments.color)))
        if review.unjudged and has_errors(tuple(one for each in review.unjudged for one in each.diagnostics)):
            _show_errors(review)


def _show_errors(review: Review) -> None:
    problems = tuple(dict.fromkeys(one for each in review.unjudged for one in each.diagnostics))
    report(problems, (), "text", "never")
    say("fix these errors, or compare versions that compile")
