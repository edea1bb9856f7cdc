"""From a server's name to the addresses that may be connected to: resolved once, all judged, nothing else used."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any

from opsmail.addresses import AddressError, parse_domain
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Failure, Kind
from opsmail.messages import msg, quoted
from opsmail.values import dataclass

#: Of a name with more addresses than this, the rest is judged but not tried.
TRIED = 8
# How often a wait for the resolver looks whether it should stop, in seconds.
_LOOK_AROUND = 0.2

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: `socket.getaddrinfo`, or something like it: host and port to its list of tuples.
Lookup = Callable[[str, int], Sequence[Any]]


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """An address to connect to.

    Args:
        ip: in numbers.
        port: TCP port.
    """

    ip: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        """The address family for `socket.socket`."""
        return socket.AF_INET6 if ":" in self.ip else socket.AF_INET

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


class Reach(Enum):
    """Who may be behind an address."""

    PUBLIC = "public"
    PRIVATE = "private"
    NEVER = "never"


# IANA's special-purpose registries (RFC 6890 and its updates); written out, because `ipaddress.is_global` changed
# between Python releases and passes NAT64, 6to4, multicast and the platform address. PRIVATE: a catalogue entry may
# allow it. NEVER: no mail server is there.
_IPV4 = tuple(
    (ipaddress.IPv4Network(network), reach)
    for network, reach in (
        ("10.0.0.0/8", Reach.PRIVATE),
        ("172.16.0.0/12", Reach.PRIVATE),
        ("192.168.0.0/16", Reach.PRIVATE),
        ("100.64.0.0/10", Reach.PRIVATE),  # RFC 6598, carrier-grade NAT
        ("127.0.0.0/8", Reach.PRIVATE),
        ("0.0.0.0/8", Reach.NEVER),
        ("168.63.129.16/32", Reach.NEVER),  # Azure's host agent, reachable from every virtual machine
        ("169.254.0.0/16", Reach.NEVER),  # link-local: the clouds' metadata services
        ("192.0.0.0/24", Reach.NEVER),
        ("192.0.2.0/24", Reach.NEVER),
        ("192.88.99.0/24", Reach.NEVER),
        ("198.18.0.0/15", Reach.NEVER),
        ("198.51.100.0/24", Reach.NEVER),
        ("203.0.113.0/24", Reach.NEVER),
        ("224.0.0.0/3", Reach.NEVER),  # multicast, reserved, broadcast
    )
)
_IPV6 = tuple(
    (ipaddress.IPv6Network(network), reach)
    for network, reach in (
        ("::1/128", Reach.PRIVATE),
        ("fc00::/7", Reach.PRIVATE),
        ("2001::/23", Reach.NEVER),  # protocol assignments, Teredo and ORCHID among them
        ("2001:db8::/32", Reach.NEVER),
        ("2002::/16", Reach.NEVER),  # 6to4: the IPv4 address inside is where it goes
        ("3fff::/20", Reach.NEVER),
    )
)
_IPV6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def reach(address: _Address) -> Reach:
    """Return who may be behind `address`; NAT64 and IPv4-mapped forms are private at best, by the address inside."""
    if isinstance(address, ipaddress.IPv4Address):
        return next((judged for network, judged in _IPV4 if address in network), Reach.PUBLIC)
    inside = address.ipv4_mapped
    if address in _NAT64:
        inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inside is not None:
        return Reach.NEVER if reach(inside) is Reach.NEVER else Reach.PRIVATE
    for network, judged in _IPV6:
        if address in network:
            return judged
    return Reach.PUBLIC if address in _IPV6_GLOBAL else Reach.NEVER


def canonical_host(text: str) -> str:
    """Return the server name `text` in the one form that pins, certificates and sockets use.

    Raises:
        Failure: it is no DNS name.
    """
    try:
        return parse_domain(text)
    except AddressError as error:
        raise Failure(Kind.INVALID_HOST, error.message) from None


@lru_cache(maxsize=64)  # of a fleet's few servers
def given_address(text: str) -> SocketAddress:
    """Return the address that a catalogue entry gives, `127.0.0.1:2587` or `[::1]:2587`.

    The entry is trusted, so only the form is checked.

    Raises:
        Failure: it has another form.
    """
    host, colon, port = text.rpartition(":")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        ip = str(
            ipaddress.IPv6Address(host[1:-1])
            if host.startswith("[") and host.endswith("]")
            else ipaddress.IPv4Address(host)
        )
    except ipaddress.AddressValueError:
        ip = ""
    if not (colon and ip and port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        raise Failure(Kind.INVALID_HOST, msg("the address given in the catalogue is not of the form `127.0.0.1:2587`"))
    return SocketAddress(ip, int(port))


def locate(
    endpoint: Endpoint, seconds: float, lookup: Lookup | None = None, stop: threading.Event | None = None
) -> tuple[SocketAddress, ...]:
    """Return the addresses of an endpoint, every one of them judged, or the one that the catalogue gives.

    Args:
        endpoint: the server.
        seconds: see `resolve`.
        lookup: likewise.
        stop: likewise.

    Raises:
        Failure: it is no DNS name, or see `resolve`.
    """
    host = canonical_host(endpoint.host)
    if endpoint.address is not None:
        return (given_address(endpoint.address),)
    return resolve(host, endpoint.port, private=endpoint.private, seconds=seconds, lookup=lookup, stop=stop)


def resolve(
    host: str,
    port: int,
    *,
    private: bool,
    seconds: float,
    lookup: Lookup | None = None,
    stop: threading.Event | None = None,
) -> tuple[SocketAddress, ...]:
    """Return the addresses of `host`, in the resolver's order, every one of them allowed.

    Args:
        host: a canonical name.
        port: TCP port.
        private: whether private addresses are allowed.
        seconds: how long it may take. The system's resolver cannot be interrupted: it is left behind in a daemon
            thread.
        lookup: stands in for `socket.getaddrinfo`.
        stop: ends the wait early when somebody sets it.

    Raises:
        Failure: no address, no answer in time, or one address that is not allowed: then none is.
    """
    ips = _look_up(host, port, seconds, lookup or system_lookup, stop or threading.Event())
    judge(host, ips, private=private)
    return tuple(SocketAddress(ip, port) for ip in ips[:TRIED])


def judge(host: str, ips: Iterable[str], *, private: bool) -> None:
    """Let addresses of `host` pass, or none.

    Raises:
        Failure: one of them is not allowed.
    """
    for ip in ips:
        judged = reach(ipaddress.ip_address(ip))
        if judged is Reach.NEVER:
            raise Failure(
                Kind.ADDRESS_NOT_ALLOWED, msg("{host} resolves to {ip}, where no mail server can be", host=host, ip=ip)
            )
        if judged is Reach.PRIVATE and not private:
            raise Failure(Kind.ADDRESS_NOT_ALLOWED, msg("{host} resolves to {ip}, a private address", host=host, ip=ip))


def system_lookup(host: str, port: int) -> Sequence[Any]:
    """Return what this machine's resolver says, its hosts file included."""
    if f".{host}".endswith(".invalid"):
        # RFC 6761 section 6.4: such a name never exists, and no DNS server has to hear of it.
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)


def _look_up(host: str, port: int, seconds: float, lookup: Lookup, stop: threading.Event) -> list[str]:
    answers: queue.SimpleQueue[Sequence[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(lookup(host, port))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"resolve {host}", daemon=True).start()
    answer = _wait(answers, host, time.monotonic() + seconds, stop)
    if isinstance(answer, OSError):
        raise _lookup_failure(host, answer)
    found = [str(entry[4][0]) for entry in answer if entry[0] in (socket.AF_INET, socket.AF_INET6)]
    if not found:
        raise Failure(Kind.NAME_NOT_RESOLVED, msg("the name {host} has no address", host=host))
    return list(dict.fromkeys(found))


def _wait(
    answers: queue.SimpleQueue[Sequence[Any] | OSError], host: str, end: float, stop: threading.Event
) -> Sequence[Any] | OSError:
    while not stop.is_set():
        left = end - time.monotonic()
        if left <= 0:
            raise Failure(Kind.TIMED_OUT, msg("the name {host} was not resolved in time", host=host))
        try:
            return answers.get(timeout=min(left, _LOOK_AROUND))
        except queue.Empty:
            continue
    raise Failure(Kind.ABORTED, msg("stopped while the name was being resolved"))


def _lookup_failure(host: str, error: OSError) -> Failure:
    nothing = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
    if isinstance(error, socket.gaierror) and error.errno in nothing:
        return Failure(Kind.NAME_NOT_RESOLVED, msg("the name {host} does not exist or has no address", host=host))
    return Failure(
        Kind.RESOLVER_FAILED,
        msg(
            "the name {host} could not be looked up: {reason}",
            host=host,
            reason=quoted(error.strerror or type(error).__name__),
        ),
    )
