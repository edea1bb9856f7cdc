"""The settings of all environments of one `opsmail.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from opsmail.settings.files import DEFAULT_ENVIRONMENT, FILE_NAME
from opsmail.settings.load import Files, Settings, load_settings


def load_environments(files: Files, name: str = FILE_NAME) -> Mapping[str, Settings]:
    """Return the settings of each environment by its name, the default one first.

    Args:
        files: the working tree or a commit.
        name: path of the settings file in `files`.

    Raises:
        SettingsError: they are wrong in one of the environments, or a file that one of them names is missing.
    """
    default = load_settings(files, DEFAULT_ENVIRONMENT, name)
    others = sorted(tomllib.loads(default.text).get("environments", {}).keys() - {DEFAULT_ENVIRONMENT})
    return {DEFAULT_ENVIRONMENT: default} | {other: load_settings(files, other, name) for other in others}
