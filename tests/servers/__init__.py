"""Real servers for tests, on loopback, from package registries. A test skips with one line where one is not there."""
