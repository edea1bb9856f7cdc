"""Dovecot, twice: as the login service of Postfix, and as the IMAP server of the mailboxes that Postfix fills."""

import grp
import os
import pwd
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.servers.identity import SigningKey
from tests.servers.processes import (
    LOOPBACK,
    Log,
    UnavailableError,
    accepts_tcp,
    accepts_unix,
    find_program,
    free_ports,
    private_folder,
    running,
)

LOGINS = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
# Failed logins must not slow the tests that come after them; what stays is half a second, built in, for each failure.
auth_failure_delay = 0
service auth {{
  user = root
}}
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
"""

# Which mechanisms a port offers is chosen in Postfix; Dovecot can do all that any port needs.
LOGIN_SERVICE = """\
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 xoauth2 oauthbearer
service auth {{
  unix_listener {folder}/auth {{
    user = postfix
    group = {group}
    mode = 0660
  }}
}}
"""

MAILBOXES = """\
protocols = imap
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
auth_mechanisms = {mechanisms}
mail_location = maildir:{maildirs}/%u
first_valid_uid = 1
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    address = {loopback}
    port = {port}
    ssl = yes
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
    group = grp.getgrgid(os.getgid()).gr_name  # so that this process can see when the socket is served
    with private_folder() as folder:
        command = _prepared(folder, accounts, key, LOGIN_SERVICE.format(folder=folder, group=group))
        socket = folder / "auth"
        with running(folder, command, lambda: accepts_unix(socket)) as log:
            yield LoginService(socket, log)


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """A running IMAP server, with TLS from the first byte; `ports` by what they let in: passwords or tokens."""

    ports: Mapping[str, int]
    logs: tuple[Log, ...]


@contextmanager
def mailboxes(
    accounts: Mapping[str, str], key: SigningKey, maildirs: Path, certificate: Path, owner: pwd.struct_passwd
) -> Iterator[Mailboxes]:
    """Serve the maildirs, one for each account and all of them `owner`'s, by IMAP while the context lasts.

    Raises `UnavailableError` or `StartError`.
    """
    find_program("/usr/lib/dovecot/imap", package="dovecot-imapd")
    wanted = {"passwords": "plain", "tokens": "xoauth2 oauthbearer"}
    with ExitStack() as stack:
        ports = dict(zip(wanted, stack.enter_context(free_ports(len(wanted))), strict=True))
        logs = []
        for name, mechanisms in wanted.items():
            folder, port = stack.enter_context(private_folder()), ports[name]
            configuration = MAILBOXES.format(
                folder=folder,
                certificate=certificate,
                mechanisms=mechanisms,
                maildirs=maildirs,
                uid=owner.pw_uid,
                gid=owner.pw_gid,
                loopback=LOOPBACK,
                port=port,
            )
            command = _prepared(folder, accounts, key, configuration)
            logs.append(stack.enter_context(running(folder, command, partial(accepts_tcp, port))))
        yield Mailboxes(ports, tuple(logs))


def _prepared(folder: Path, accounts: Mapping[str, str], key: SigningKey, configuration: str) -> list[str]:
    """Write what a Dovecot needs into `folder`, and return the command that runs it."""
    program = find_program("dovecot", package="dovecot-core")
    _require_version_2_3(program)
    users = folder / "users"
    users.touch(mode=0o600)
    users.write_text("".join(f"{name}:{{PLAIN}}{password}\n" for name, password in accounts.items()), "utf-8")
    (folder / "oauth2").write_text(TOKENS.format(folder=folder), "utf-8")
    public = folder / "keys" / "default" / "RS256" / key.id
    public.parent.mkdir(parents=True)
    public.write_text(key.public_pem, "ascii")
    file = folder / "dovecot.conf"
    file.write_text(LOGINS.format(folder=folder) + configuration, "utf-8")
    return [str(program), "-F", "-c", str(file)]


def _require_version_2_3(program: Path) -> None:
    """2.4 has another configuration language (https://doc.dovecot.org/2.4.0/installation/upgrade/2.3-to-2.4.html)."""
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if not version.startswith("2.3."):
        raise UnavailableError(f"the tests configure Dovecot 2.3, and this machine has {version}.")
