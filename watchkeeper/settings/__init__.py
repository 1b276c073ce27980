"""Settings: read from defaults, a file and the environment."""
