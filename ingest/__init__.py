"""From the log to the store: decode, first-seen check, summarise, write, commit. Imports core and detectors.summary."""
