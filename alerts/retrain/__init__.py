"""Retraining: hooks, the states of requests, and what is asked of targets."""
