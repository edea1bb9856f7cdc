"""The formats of JSON Schema that are checked (JSON Schema Validation 2020-12, section 7.3); no other may be named."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from opsmail.addresses import AddressError, parse_address

_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def _is_day(text: str) -> bool:
    return _DAY.fullmatch(text) is not None and _is_read_by(date.fromisoformat, text, ValueError)


def _is_address(text: str) -> bool:
    return _is_read_by(parse_address, text, AddressError)


def _is_host(text: str) -> bool:
    return len(text) <= 253 and all(_HOST_LABEL.fullmatch(label) for label in text.split("."))


def _is_ipv4(text: str) -> bool:
    return _is_read_by(ipaddress.IPv4Address, text, ValueError)


def _is_ipv6(text: str) -> bool:
    return "%" not in text and _is_read_by(ipaddress.IPv6Address, text, ValueError)


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _is_read_by(reader: Callable[[str], object], text: str, refusal: type[Exception]) -> bool:
    try:
        reader(text)
    except refusal:
        return False
    return True


FORMATS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "date": _is_day,
        "email": _is_address,
        "hostname": _is_host,
        "ipv4": _is_ipv4,
        "ipv6": _is_ipv6,
        "uuid": _is_uuid,
    }
)
