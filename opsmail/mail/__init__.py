"""Mail submission: the SMTP conversation, its sockets and TLS, and what its failures mean.

The live test and the runtime reader both send through `opsmail.mail.submission.Submission`: what was tested is what
runs.
"""
