"""`opsmail init`: a repository, whole or not at all."""

from __future__ import annotations

import pytest

from opsmail import __version__
from opsmail.cli.schema import schema_text
from tests.unit.cli.checkout import Checkout


def test_the_folder_is_made_and_the_next_steps_are_told(checkout: Checkout) -> None:
    said = checkout.run("init", "novo/mail", "--provider", "gmail")
    root = checkout.root / "novo/mail"
    assert {path.name for path in root.iterdir()} == {
        *("opsmail.toml", "waivers.yaml", "operators", "schemas", "CODEOWNERS", "README.md"),
        *(".github", ".gitignore", ".pre-commit-config.yaml", ".vscode"),
    }
    assert said.out == ""
    assert said.err.startswith("wrote 12 files in novo/mail\nnext:\n  1. opsmail.toml, operators/: ")
    assert "@example/it" in said.err
    assert f"opsmail=={__version__}" in (root / ".github/workflows/deploy.yml").read_text()
    for name in ("operator", "settings"):
        assert (root / f"schemas/{name}.schema.json").read_text() == schema_text(name)


def test_where_a_file_exists_nothing_is_written_and_all_of_them_are_named(checkout: Checkout) -> None:
    checkout.write("waivers.yaml", "mine")
    checkout.write(".vscode/settings.json", "mine")
    said = checkout.run("init", code=3)
    for name in (".gitignore", ".vscode/settings.json", "waivers.yaml"):
        assert name in said.err
    assert "exist and are not overwritten" in said.err
    assert not (checkout.root / "opsmail.toml").exists()
    assert not (checkout.root / "operators").exists()


def test_a_folder_with_other_things_gets_them(checkout: Checkout) -> None:
    (checkout.root / ".gitignore").unlink()
    checkout.write("operators/.gitkeep", "")
    checkout.run("init", "--ci", "gitlab")
    assert (checkout.root / ".gitlab-ci.yml").exists()
    checkout.run("check", "--fail-on", "warning")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--provider", "gmial"), "did you mean `gmail`?"),
        (("--ci", "jenkins"), "jenkins"),
        (("ca.pem",), "ca.pem"),
        (("",), "the folder's name is empty"),
    ],
)
def test_what_is_wrong_is_told(checkout: Checkout, arguments: tuple[str, ...], told: str) -> None:
    assert told in checkout.run("init", *arguments, code=2).err
    assert not (checkout.root / "opsmail.toml").exists()
