"""Generated input for a chosen time: `make fuzz`."""
