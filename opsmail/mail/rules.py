"""The rules of the live test, OM9xx: their findings come from `test`, not from `check`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from opsmail.findings import RuleMeta, Severity

_NAMES = """
    901 name-not-resolved
    902 address-not-allowed
    903 connection-refused
    904 timed-out
    905 not-smtp
    906 starttls-missing
    907 tls-injection
    908 tls-too-old
    909 certificate-expired
    910 certificate-wrong-name
    911 certificate-untrusted
    912 no-common-mechanism
    913 bad-credentials
    914 app-password-needed
    915 smtp-auth-disabled-tenant
    916 smtp-auth-disabled-mailbox
    917 security-defaults
    918 conditional-access
    919 basic-retired
    920 token-wrong-audience
    921 token-missing-role
    922 no-consent
    923 secret-expired
    924 unknown-tenant-or-application
    925 identity-provider-error
    926 sender-refused
    927 relay-denied
    928 recipient-refused
    929 message-too-large
    930 throttled
    931 greylisted
    932 quota
    933 blocked
    934 protocol-error
    935 disconnected
    936 wrong-tls-mode
    937 mailbox-access-denied
    938 not-received
    939 unknown-reply
    940 login-required
"""


def _rules() -> Mapping[str, RuleMeta]:
    pairs = (line.split() for line in _NAMES.strip().splitlines())
    return MappingProxyType({f"OM{number}": RuleMeta(f"OM{number}", name, Severity.ERROR) for number, name in pairs})


#: By id.
LIVE_RULES = _rules()
