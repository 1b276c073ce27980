"""From windows that are due to readings."""
