"""Input that nobody thought of, for as long as one likes: `make fuzz`."""
