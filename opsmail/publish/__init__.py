"""Publish: plan, gate, one atomic generation."""
