"""Operators from the table of an older administration form, and the published ones for other programs."""
