"""The files at the root of a repository that IT decides about, by name, and the environment that always is."""

from __future__ import annotations

FILE_NAME = "opsmail.toml"
WAIVERS_NAME = "waivers.yaml"
DEFAULT_ENVIRONMENT = "default"
