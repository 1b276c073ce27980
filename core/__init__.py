"""The words that everyone shares: events, contracts, segments, windows, readings. Imports nothing of ours."""
