"""Signed statements: what was tested, approved or published, by whom, and whether that proves what has to be proven."""
