"""Files to documents: where operator files come from, and the strict reading of each."""
