"""Measures and the summaries that panes hold: pure functions of numbers, without I/O, clock or global state. Imports core."""
