"""Fixes: how what is meant is written into a file, the proof that it is just that, and applying them."""
