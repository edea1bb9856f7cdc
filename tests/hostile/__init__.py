"""Peers that misbehave."""
