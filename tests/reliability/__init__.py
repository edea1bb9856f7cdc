"""Publishes that are killed, cut off, raced, paused and robbed of their disk, with readers looking on.

Each loop runs the real command in a process of its own, on a real repository with a signing key, and after every event
`witness.py` judges the store. `canaries.py` has publishers that are broken on purpose: a loop that does not catch the
one it is there for shows nothing. A short run of everything is part of the tests; `make soak` runs the long one.
"""
