"""Tests that the compiler contains no names of providers or their services, which come from the targets."""

from __future__ import annotations

import ast
import re
from inspect import getfile
from pathlib import Path

import pytest

import modelyard

FOLDER = Path(getfile(modelyard)).parent
MODULES = sorted(FOLDER.rglob("*.py"))

WORDS = re.compile(
    r"(?<![a-z0-9])(aws|amazon|amazonaws|arn|ebs|ec2|ecr|eks|iam|kms|rds|vpc|secrets-manager"
    r"|gcp|google|gcs|gke|azure|aks|entra)(?![a-z0-9])",
    re.IGNORECASE,
)

ALLOWED = {
    # an example in the help, and a code host
    "cli/help_texts.py": "azure gcp",
    # a code host, where no system runs
    "cli/review_arguments.py": "azure",
    "cli/comment.py": "azure",
    "hosts/pipelines.py": "azure",
    # the ServiceAccount annotation that overrides may change
    "checks/safeguards.py": "amazonaws arn eks",
    # another place where a store may be
    # the providers whose keys a value may resemble
    "secret_literals.py": "aws google",
    # words that users type, and our terms for them
    "synonyms.py": "aks amazon aws azure eks gcp gcs gke google rds",
    # formats of other tools that people paste
    "validate/rewrites.py": "arn aws",
}
"""Modules that contain provider names as data. The comments give the reasons."""


def code_of(path: Path) -> str:
    """Return a module's code without docstrings, whose examples may name providers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = [""] * (end - node.lineno + 1)
    return "\n".join(lines)


def words_of(path: Path) -> set[str]:
    return {word.lower() for word in WORDS.findall(code_of(path))}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_module_names_a_provider(path: Path) -> None:
    """Identifiers, comments and strings only contain provider names allowed by the table above."""
    assert sorted(words_of(path)) == ALLOWED.get(path.relative_to(FOLDER).as_posix(), "").split()


def test_the_words_are_found_in_code_and_not_in_docstrings(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('''"""On AWS."""\nA = "aws"  # like GKE\n"""Of Azure."""\nlaws = 1\n''', encoding="utf-8")

    assert words_of(module) == {"aws", "gke"}
