"""Real servers for the tests, each started from a folder of its own on free loopback ports."""
