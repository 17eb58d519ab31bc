"""Compare the version being compiled with an older one: reject unapproved changes, find what they destroy."""

from __future__ import annotations

import argparse

from modelyard.cli.git import GitError
from modelyard.cli.locking import read_lock
from modelyard.cli.versions import Compared, Version, before_of, not_judged, reviewed
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.verify import change_not_approved, change_not_judged
from modelyard.inputs import Inputs
from modelyard.lock import Addresses
from modelyard.persistent import persistent_resources
from modelyard.records import replace
from modelyard.review.fingerprint import change_fingerprint


def compared_with_old(arguments: argparse.Namespace, inputs: Inputs) -> tuple[Addresses, tuple[Diagnostic, ...]]:
    """Return the old version's resources by target and address, or the reason why nothing may be compiled.

    The comparison and the compile share the same inputs, so what was compared is exactly what gets compiled.
    """
    after = Version(replace(inputs, environment=None, overlay=None), read_lock(inputs))
    try:
        before, problems = before_of(arguments.against, after, argparse.Namespace(env=None, set=arguments.set))
    except GitError as problem:
        return {}, (not_judged(problem),)
    if problems:
        return {}, problems
    change = reviewed(before, after, None)
    if arguments.approved is not None and (refused := _refused(change, arguments.approved)):
        return {}, (refused,)
    old = change.before.get(inputs.folder)
    return {} if old is None or old.plan is None else persistent_resources(old.plan), ()


def _refused(change: Compared, approved: str) -> Diagnostic | None:
    fingerprint = change_fingerprint(change.review, change.before, change.after)
    if not fingerprint:
        return change_not_judged("a version does not compile")
    return None if fingerprint == approved else change_not_approved(fingerprint, approved)
