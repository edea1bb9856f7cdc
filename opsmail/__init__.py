"""opsmail: operator e-mail settings as code, checked, proven by a real test send, and published atomically."""

__version__ = "0.1.0"
