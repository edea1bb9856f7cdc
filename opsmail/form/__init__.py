"""A local form for operator files, for those who do not write YAML."""
