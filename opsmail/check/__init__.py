"""`check`: documents to operators and findings."""
