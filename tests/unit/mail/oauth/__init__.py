"""Access tokens, asked of an identity provider that does what a script says."""
