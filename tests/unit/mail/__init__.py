"""The mail room without sockets."""
