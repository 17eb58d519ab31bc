"""Run `python -m modelyard_runtime VERB`, importing only the module of the chosen verb."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from modelyard_runtime.jobs.cluster_api import ApiError
from modelyard_runtime.refusals import Refusal

# Every module defines `run() -> int`, which gets the verb's arguments by name. The second value is the help text.
VERBS = {
    "run": ("pipelines.driver", "run the steps of a pipeline, inside its Ray cluster"),
    "promote": ("promotion.promoter", "move an alias to the newest version that now has its approvals"),
    "monitor": ("monitoring.monitor", "compare a window of data with its reference, and act on a breach"),
    "launch": ("jobs.launch", "create a pipeline's Ray job, and wait until it ends"),
    "start": ("jobs.starter", "start the pipeline runs that monitors on other targets request"),
    "store": ("provisioning.bucket", "create a bucket, and set its versioning and retention"),
    "login": ("provisioning.login", "create a login for an RDS database, with a new password each time"),
    "registry": ("registry.server", "serve MLflow so that each workload can only change its own models"),
    "bundle": ("bundles.transfer", "transfer a delivered model by hand: pack it into a file, or unpack it"),
    "local": ("local.supervisor", "run a compiled system on this machine, with one Ray and files for buckets"),
    "serve": ("local.serving", "deploy the model servers of a system on this machine, until SIGTERM"),
    "digest": ("registry.digest", "print the digest of a model's files, for an import in the spec"),
}

_INTERRUPTED = 130  # as a shell reports a command that Ctrl-C has ended

_BUNDLE_ACTIONS = {
    "pack": ("folder of bundles, or its URI", "file to write"),
    "unpack": ("file to read", "folder, or its URI, in which the bundle is put into use"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb. Returns 0 on success, or 1 if the work failed or its description isn't supported."""
    parser = argparse.ArgumentParser(
        prog="modelyard_runtime", description="Commands that run inside the Pods of a compiled system."
    )
    verbs = parser.add_subparsers(dest="verb", metavar="verb", required=True)
    for verb, (_, help_text) in VERBS.items():
        of_verb = verbs.add_parser(verb, help=help_text, description=help_text.capitalize() + ".")
        if verb == "bundle":
            _add_actions(of_verb)
        elif verb == "digest":
            of_verb.add_argument(
                "folder", help="model folder, which contains the file MLmodel, or config.json of a language model"
            )
        elif verb == "local":
            _add_local(of_verb)
        elif verb == "serve":
            for name, kind in (("folder", str), ("state", str), ("port", int), ("serve_port", int)):
                of_verb.add_argument(name, type=kind)
    arguments = vars(parser.parse_args(argv))
    module, _ = VERBS[arguments.pop("verb")]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        code: int = import_module(f"modelyard_runtime.{module}").run(**arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Refusal as refusal:
        sys.stderr.write(f"refused: {refusal}\n")
        return 1
    except _outside() as problem:
        logging.getLogger(__name__).debug("where it happened", exc_info=True)
        sys.stderr.write(f"failed because something outside this Pod did not respond as expected: {problem}\n")
        return 1
    return code


def _outside() -> tuple[type[Exception], ...]:
    """Return the exceptions raised when external services fail, where a traceback wouldn't help."""
    registry = sys.modules.get("mlflow.exceptions")  # if not loaded, its exceptions cannot have been raised
    return (OSError, ApiError) if registry is None else (OSError, ApiError, registry.MlflowException)


def _add_actions(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    for action, (source, target) in _BUNDLE_ACTIONS.items():
        of_action = actions.add_parser(action)
        of_action.add_argument("source", help=source)
        of_action.add_argument("target", help=target)


def _add_local(of_verb: argparse.ArgumentParser) -> None:
    of_verb.add_argument("folder", help="the compiled folder, with plan.json in it")
    of_verb.add_argument("addresses", nargs="*", metavar="ADDRESS", help="what to run, such as pipelines.train")
    of_verb.add_argument("--state", metavar="FOLDER", help="where everything is kept (default: .modelyard/ENVIRONMENT)")
    of_verb.add_argument("--code", metavar="FOLDER", help="where user code is imported from (default: this folder)")
    of_verb.add_argument("--once", action="store_true", help="run every schedule once now, then stop")
    of_verb.add_argument("--now", action="store_true", help="run every schedule once now, then continue as scheduled")
    of_verb.add_argument("--sample", action="store_true", help="generate data where there is none")
    of_verb.add_argument("--drift", action="store_true", help="generate requests that differ from the training data")
    of_verb.add_argument("--ask", action="store_true", help="send rows of the data to each endpoint, and show one")


if __name__ == "__main__":
    sys.exit(main())
