"""Numbers in, numbers out: summaries and measures. No I/O, no clock, no globals. Imports core."""
