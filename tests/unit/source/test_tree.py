import pytest

from opsmail.messages import msg, quoted
from opsmail.source.tree import (
    NoFolderError,
    is_around,
    is_folder_name,
    is_ignored,
    name_problem,
    not_plain,
    unreadable,
)


@pytest.mark.parametrize("name", ["rh.yaml", "rh-1.x_y.yaml", "0.yaml", "a" * 63 + ".yaml"])
def test_names_of_operator_files(name: str) -> None:
    assert name_problem(f"operators/Team/{name}") is None
    assert name_problem(f"operators/team/{name}", "operators") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rh.yml", "the file's name has other characters"),
        ("RH.yaml", "the file's name has other characters"),
        ("-rf.yaml", "the file's name has other characters"),
        (".yaml", "the file's name has other characters"),
        ("ação.yaml", "the file's name has other characters"),
        ("a\n.yaml", "the file's name has other characters"),
        ("a" * 64 + ".yaml", "the file's name has other characters"),
        ("rh.YAML", "the file's name has other characters"),
        ("README.md", "not an operator file"),
        ("rh.yaml.bak", "not an operator file"),
        ("rh", "not an operator file"),
        ("rh.yaml\n", "not an operator file"),
    ],
)
def test_other_names(name: str, message: str) -> None:
    problem = name_problem(f"operators/{name}")
    assert problem is not None
    assert problem.rule == "OM008"
    assert str(problem.message).startswith(message)


@pytest.mark.parametrize("folder", ["Team", ".git", "a b", "::error", "x\ny", "-x"])
def test_folders_between_the_operators_folder_and_the_file_are_named_like_files(folder: str) -> None:
    assert not is_folder_name(folder)
    problem = name_problem(f"operators/{folder}/rh.yaml", "operators")
    assert problem is not None
    assert str(problem.message).startswith("the folder's name has other characters")


def test_a_folder_name() -> None:
    assert is_folder_name("team-1.x_y")


def test_only_the_file_that_keeps_a_folder_in_git_is_ignored() -> None:
    assert is_ignored("operators/.gitkeep")
    assert not is_ignored("operators/.gitignore")


@pytest.mark.parametrize(
    ("path", "folder", "around"),
    [
        ("operators", "operators", True),
        ("a", "a/b", True),
        (".", "operators", True),
        ("..", "operators", True),
        ("../..", "operators", True),
        ("operators/a", "operators", False),
        ("op", "operators", False),
        ("../operators", "operators", False),
        ("operators-2", "operators", False),
    ],
)
def test_what_stands_for_an_operators_folder(path: str, folder: str, around: bool) -> None:
    assert is_around(path, folder) is around


def test_problems_say_what_it_is() -> None:
    assert str(not_plain(msg("link")).message) == "this is a link, not a plain file"
    assert str(unreadable(quoted("Permission denied")).message) == "the file cannot be read: Permission denied"


def test_a_missing_folder_is_told_with_its_place() -> None:
    error = NoFolderError("operators", "/repository")
    assert str(error) == "there is no folder `operators` in /repository"
    assert error.hint is not None
