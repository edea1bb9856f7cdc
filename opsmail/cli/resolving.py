"""`check --resolve`: the one way in which a check touches secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opsmail.cli.console import Console
from opsmail.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from opsmail.secrets.trial import SecretTrial


def secret_trial(*, wanted: bool) -> SecretTrial | None:
    """Return what tries secrets; None where no secret is to be touched, and then nothing is loaded for it either."""
    if not wanted:
        return None
    from opsmail.secrets import open_secrets
    from opsmail.secrets.trial import SecretTrial

    return SecretTrial(open_secrets())


def after_trial(code: ExitCode, trial: SecretTrial | None, console: Console) -> ExitCode:
    """Return the exit code of a run, and tell what kept secrets from being tried: that is no finding.

    Args:
        code: what the findings alone make of it.
        trial: what tried secrets.
        console: where to tell.
    """
    unreachable = None if trial is None else trial.unreachable
    if unreachable is None:
        return code
    console.error(unreachable)
    return code or ExitCode.UNAVAILABLE
