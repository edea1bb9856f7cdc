"""One page about a whole fleet, and a calendar of what ends."""
