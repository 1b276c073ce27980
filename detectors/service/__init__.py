"""Measures of how a model serves: latency, traffic, errors, availability."""
