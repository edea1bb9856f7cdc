"""One Postfix with a port for each personality: the good servers, and those that a client must refuse."""

import os
import pwd
import shlex
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.certificates import Certificates, issue_certificates
from tests.servers.dovecot import LoginService
from tests.servers.processes import (
    LOOPBACK,
    Log,
    accepts_tcp,
    find_program,
    free_ports,
    private_folder,
    running,
)

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = /dev/stdout
inet_protocols = ipv4
inet_interfaces = {loopback}
myhostname = {host_name}
mydomain = {domain}
myorigin = {domain}
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no

# The domain's mail goes to maildirs; nothing leaves this machine.
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
local_transport = error:there are no local users
smtpd_relay_restrictions = reject_unauth_destination

# What a personality does not change: no TLS, no login.
smtpd_tls_security_level = none
smtpd_tls_auth_only = yes
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtpd_sasl_auth_enable = no
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl_socket}
smtpd_sasl_security_options = noanonymous
smtpd_sasl_mechanism_filter = plain, login
smtpd_sasl_authenticated_header = yes
smtpd_sender_login_maps = texthash:{folder}/logins

# Neither many connections nor many mistakes of one client slow the tests.
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
in_flow_delay = 0
"""

# service, type, private, unprivileged, chroot, wakeup, process limit, command (master(5))
MASTER_CF = """\
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
"""

# What `postfix start` would make before it starts master(8), without its inspection of /etc/postfix.
PREPARE_AND_START = """\
set -eu
umask 022
cd {folder}
install -d -m 755 queue queue/pid
cd queue
install -d -o postfix -m 700 active bounce corrupt defer deferred flush hold incoming private saved trace ../data
install -d -o postfix -g postdrop -m 730 maildrop
install -d -o postfix -g postdrop -m 710 public
install -d -o {uid} -g {gid} -m 700 ../mail
exec {master} -s -c {folder}/configuration
"""


@dataclass(frozen=True, slots=True)
class Personality:
    """How one port behaves: Postfix parameters (postconf(5)) over those of `MAIN_CF`, and its certificate, if any."""

    settings: Mapping[str, str]
    certificate: Path | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A running Postfix: its ports by personality, certificates, log, and the folder with a maildir per address."""

    ports: Mapping[str, int]
    certificates: Certificates
    maildirs: Path
    log: Log


LOGIN = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_sender_restrictions": "reject_sender_login_mismatch",
    "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject",
}
STARTTLS = {**LOGIN, "smtpd_tls_security_level": "encrypt"}
IMPLICIT_TLS = {**STARTTLS, "smtpd_tls_wrappermode": "yes"}
# OpenSSL 3 signs nothing for TLS below 1.2 unless its security level is 0.
TLS_1_1 = {
    **STARTTLS,
    "smtpd_tls_mandatory_protocols": ">=TLSv1.1, <=TLSv1.1",
    "tls_medium_cipherlist": "ALL:@SECLEVEL=0",
}


def only(mechanism: str, folder: Path) -> Mapping[str, str]:
    """Return parameters by which a port offers one mechanism and takes no other; writes a table into `folder`."""
    table = folder / f"only-{mechanism}"
    # smtpd_sasl_mechanism_filter alone leaves the others unmentioned, and takes them all the same.
    _write(table, f"if /^AUTH /\n!/^AUTH +{mechanism}( |$)/ AUTH UNKNOWN\nendif\n")
    return {"smtpd_sasl_mechanism_filter": mechanism.lower(), "smtpd_command_filter": f"regexp:{table}"}


def personalities(folder: Path, certificates: Certificates) -> Mapping[str, Personality]:
    """Return every personality by name; their tables are in `folder`."""
    return {
        "starttls": Personality(STARTTLS, certificates.good),
        "implicit_tls": Personality(IMPLICIT_TLS, certificates.good),
        "cleartext": Personality({}),
        "tls11_only": Personality(TLS_1_1, certificates.good),
        "wrong_name": Personality(STARTTLS, certificates.wrong_name),
        "expired": Personality(STARTTLS, certificates.expired),
        "unknown_issuer": Personality(STARTTLS, certificates.unknown_issuer),
        # The attacker's position: STARTTLS is gone, a login is asked for all the same.
        "starttls_stripped": Personality({**LOGIN, "smtpd_tls_auth_only": "no"}),
        "login_only": Personality({**STARTTLS, **only("LOGIN", folder)}, certificates.good),
        "tokens": Personality({**STARTTLS, "smtpd_sasl_mechanism_filter": "xoauth2, oauthbearer"}, certificates.good),
        "oauthbearer": Personality({**STARTTLS, **only("OAUTHBEARER", folder)}, certificates.good),
        "no_common_mechanism": Personality({**STARTTLS, **only("CRAM-MD5", folder)}, certificates.good),
    }


@contextmanager
def submission_server(host_name: str, addresses: Collection[str], login: LoginService) -> Iterator[Submission]:
    """Run Postfix while the context lasts.

    It delivers to `addresses`, all in the domain of `host_name`; each may be used as sender by the user of that name.
    Raises `UnavailableError` or `StartError`.
    """
    postconf = find_program("postconf", package="postfix")
    master = subprocess.run(
        [postconf, "-d", "-h", "daemon_directory"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with ExitStack() as stack:
        folder = stack.enter_context(private_folder())
        certificates = issue_certificates(folder, host_name)
        wanted = personalities(folder, certificates)
        ports = dict(zip(wanted, stack.enter_context(free_ports(len(wanted))), strict=True))
        owner = delivery_owner()
        places = {
            "folder": str(folder),
            "loopback": LOOPBACK,
            "host_name": host_name,
            "domain": host_name.partition(".")[2],
            "sasl_socket": str(login.socket),
            "uid": str(owner.pw_uid),
            "gid": str(owner.pw_gid),
            "master": shlex.quote(f"{master}/master"),
        }
        _write(folder / "mailboxes", "".join(f"{address} {address}/\n" for address in addresses))
        _write(folder / "logins", "".join(f"{address} {address}\n" for address in addresses))
        configuration = folder / "configuration"
        configuration.mkdir()
        _write(configuration / "main.cf", MAIN_CF.format(**places))
        services = "".join(_service(name, ports[name], personality) for name, personality in wanted.items())
        _write(configuration / "master.cf", MASTER_CF + services)
        command = ["/bin/sh", "-c", PREPARE_AND_START.format(**places)]
        # master(8) listens on all ports before it serves any, in the order of master.cf.
        last = ports[list(wanted)[-1]]
        log = stack.enter_context(running(folder, command, lambda: accepts_tcp(last)))
        yield Submission(ports, certificates, folder / "mail", log)


def _write(path: Path, text: str) -> None:
    """Write a file that looks a minute old: each Postfix process waits until what it reads is at rest for a second."""
    path.write_text(text, "utf-8")
    minute_ago = time.time() - 60
    os.utime(path, (minute_ago, minute_ago))


def _service(name: str, port: int, personality: Personality) -> str:
    settings = {"syslog_name": f"postfix/{name}", **personality.settings}
    if personality.certificate is not None:
        settings["smtpd_tls_chain_files"] = str(personality.certificate)
    options = "".join(f"  -o {{ {key} = {value} }}\n" for key, value in settings.items())
    return f"{LOOPBACK}:{port} inet n - n - - smtpd\n{options}"


def delivery_owner() -> pwd.struct_passwd:
    """Return whose files the maildirs are: the tests' own user, for virtual(8) never delivers as root."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
