"""Real servers for the tests, each started when the first test asks for it, and tests of their launchers."""
