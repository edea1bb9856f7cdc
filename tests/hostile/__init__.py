"""Peers, files and circumstances that misbehave."""
