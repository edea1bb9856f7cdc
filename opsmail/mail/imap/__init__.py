"""Reading a message back from a mailbox: as much of IMAP4rev1 (RFC 3501) as that takes, over TLS, within limits."""
