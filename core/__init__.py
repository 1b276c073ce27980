"""The values that all packages share: events, contracts, segments, windows, readings. Imports nothing of ours."""
