"""Outputs of `check`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from opsmail.output.findings import json, text
from opsmail.output.findings.interface import FindingsFormat, Report, Summary

__all__ = ["FORMATS", "FindingsFormat", "Report", "Summary"]

FORMATS: Mapping[str, FindingsFormat] = MappingProxyType({"text": text.render, "json": json.render})
