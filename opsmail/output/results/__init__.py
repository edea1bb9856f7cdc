"""Outputs of tests, plans and history."""
