"""Detectors of change: when something that is measured changed, by each of its rows or by its windows."""
