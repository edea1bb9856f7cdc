"""Tables of older forms, and published settings for other programs."""
