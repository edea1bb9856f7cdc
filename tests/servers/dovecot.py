"""Dovecot as the login service of Postfix: it checks user and password and serves nothing else."""

import grp
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.identity import SigningKey
from tests.servers.processes import Log, UnavailableError, accepts_unix, find_program, private_folder, running

# Which mechanisms a port offers is chosen in Postfix; Dovecot can do all that any port needs.
CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 xoauth2 oauthbearer
# Failed logins must not slow the tests that come after them; what stays is half a second, built in, for each failure.
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login cram-md5
  args = scheme=PLAIN username_format=%u {folder}/users
}}
service auth {{
  user = root
  unix_listener {folder}/auth {{
    user = postfix
    group = {group}
    mode = 0660
  }}
}}
"""

# Tokens are verified here, by the key of whoever signs them (https://doc.dovecot.org/2.3/configuration_manual/authentication/oauth2/).
TOKENS = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={folder}/keys/
username_attribute = email
"""


@dataclass(frozen=True, slots=True)
class LoginService:
    """A running Dovecot; `socket` speaks its authentication protocol to Postfix."""

    socket: Path
    log: Log


@contextmanager
def login_service(accounts: Mapping[str, str], key: SigningKey) -> Iterator[LoginService]:
    """Run Dovecot with these accounts (user name to password) while the context lasts.

    It takes tokens that `key` signed, for the account that their claim `email` names.

    Raises `UnavailableError` or `StartError`.
    """
    program = find_program("dovecot", package="dovecot-core")
    _require_version_2_3(program)
    with private_folder() as folder:
        users = folder / "users"
        users.touch(mode=0o600)
        users.write_text("".join(f"{name}:{{PLAIN}}{password}\n" for name, password in accounts.items()), "utf-8")
        configuration = folder / "dovecot.conf"
        group = grp.getgrgid(os.getgid()).gr_name  # so that this process can see when the socket is served
        configuration.write_text(CONFIGURATION.format(folder=folder, group=group), "utf-8")
        (folder / "oauth2").write_text(TOKENS.format(folder=folder), "utf-8")
        public = folder / "keys" / "default" / "RS256" / key.id
        public.parent.mkdir(parents=True)
        public.write_text(key.public_pem, "ascii")
        socket = folder / "auth"
        command = [str(program), "-F", "-c", str(configuration)]
        with running(folder, command, lambda: accepts_unix(socket)) as log:
            yield LoginService(socket, log)


def _require_version_2_3(program: Path) -> None:
    """2.4 has another configuration language (https://doc.dovecot.org/2.4.0/installation/upgrade/2.3-to-2.4.html)."""
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if not version.startswith("2.3."):
        raise UnavailableError(f"the tests configure Dovecot 2.3, and this machine has {version}.")
