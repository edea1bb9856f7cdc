"""What is published: immutable content, numbered generations, one head per environment, and a log of events.

`opsmail.store.backends.open_store` opens a store, `opsmail.store.interface` says what it can do.
"""
