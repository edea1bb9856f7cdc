"""The installed command from outside: as subprocesses, in git repositories of their own, against real servers."""
