"""What a loop looks for."""


class ViolationError(Exception):
    """Something happened that must never happen."""
