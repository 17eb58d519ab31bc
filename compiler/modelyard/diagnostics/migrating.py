"""Diagnostics of `modelyard migrate`: where a system cannot move, and plans that do not fit their folder or spec."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote


def unknown_source(name: str, known: Sequence[str]) -> Diagnostic:
    """`--from` must name a target that the spec has in the environment that moves.

    Wrong: `modelyard migrate . --from aws --to gcp`, where the target on AWS is called `main`.

    Right: `modelyard migrate . --from main --to gcp`
    """
    hint = nearest(name, known, "did you mean {}?") or f"choose from {', '.join(known)}"
    return Diagnostic("E0541", Severity.ERROR, f"the spec has no target {quote(name)} to move from", None, hint)


def unknown_destination(name: str, providers: Iterable[str], names: Sequence[str]) -> Diagnostic:
    """`--to` names a provider, with or without a region, or another target of the spec.

    Wrong: `modelyard migrate . --from main --to google`

    Right: `modelyard migrate . --from main --to gcp:europe-west3`
    """
    known = (*providers, *names)
    hint = nearest(name, known, "did you mean {}?") or f"choose from {', '.join(known)}"
    what = f"{quote(name)} is neither a provider nor a target of the spec" if name else "--to names no destination"
    return Diagnostic("E0542", Severity.ERROR, what, None, hint)


def there_already(sources: Sequence[str], place: str) -> Diagnostic:
    """A migration must go to another provider, another region or another target.

    Wrong: `modelyard migrate . --from main --to aws`, where `main` is on AWS.

    Right: `modelyard migrate . --from main --to aws:eu-west-1`
    """
    listed = " and ".join(map(quote, sources))
    hint = "name another provider, another region as --to PROVIDER:REGION, or another target"
    return Diagnostic("E0543", Severity.ERROR, f"{listed} would stay where it is: {quote(place)}", None, hint)


def no_destination(name: str, reason: str, hint: str) -> Diagnostic:
    """Nothing can be moved to this provider, or the region is unknown.

    Wrong: `modelyard migrate . --from main --to local`, or `--to kubernetes:frankfurt`

    Right: `modelyard migrate . --from main --to kubernetes`
    """
    return Diagnostic("E0544", Severity.ERROR, f"cannot move to {quote(name)}: {reason}", None, hint)


def environment_name_taken(name: str, reason: str) -> Diagnostic:
    """The new side becomes an environment of the spec, so it needs a name that no other environment has.

    Wrong: `modelyard migrate . --from main --to gcp --name prod`, where `prod` exists.

    Right: `modelyard migrate . --from main --to gcp --name prod-gcp`
    """
    return Diagnostic(
        "E0545", Severity.ERROR, f"environment {quote(name)} {reason}", None, "name another environment with --name"
    )


def not_our_folder(folder: str, reason: str) -> Diagnostic:
    """`modelyard migrate` only writes to a folder that is empty or that it wrote for the same migration.

    It does not overwrite files that were edited by hand.

    Wrong: `modelyard migrate . --from main --to gcp --out docs`

    Right: `modelyard migrate . --from main --to gcp --out migration`
    """
    return Diagnostic(
        "E0546", Severity.ERROR, f"{folder}: {reason}", None, "choose another folder with --out, or move the file away"
    )


def not_next(phase: str, reason: str, hint: str) -> Diagnostic:
    """Phases must be completed in order, because each depends on the ones before it.

    Wrong: `modelyard migrate --done 9-cut-over`, right after `1-build`.

    Right: `modelyard migrate --done 2-secrets`
    """
    return Diagnostic("E0547", Severity.ERROR, f"phase {quote(phase)} {reason}", None, hint)


def spec_has_changed(folder: str) -> Diagnostic:
    """A plan describes the spec that it was made from, so its commands may be wrong after the spec has changed.

    Making the plan again keeps a record of the completed phases.

    Wrong: changing `system.yaml`, and then `modelyard migrate --done 5-data`.

    Right: `modelyard migrate . --from main --to gcp` again, a look at what changed, and then `--done 5-data`.
    """
    return Diagnostic(
        "E0548",
        Severity.ERROR,
        f"the spec has changed since the plan in {folder} was made",
        None,
        "run modelyard migrate again with --from and --to; completed phases stay completed",
    )


def no_plan(folder: str, reason: str) -> Diagnostic:
    """`--status` and `--done` need a plan that `modelyard migrate` has written.

    Wrong: `modelyard migrate --status` in a folder without `migration/`.

    Right: `modelyard migrate . --from main --to gcp`, and then `modelyard migrate --status`.
    """
    hint = "make the plan with --from and --to, or name its folder with --out"
    return Diagnostic("E0549", Severity.ERROR, f"{folder} has no migration plan: {reason}", None, hint)
