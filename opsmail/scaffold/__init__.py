"""Files to start from: a new operator, a whole repository."""
