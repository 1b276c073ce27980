"""Monitors: their definitions, the reference, the evidence of measures, evaluation, and the loop of a model's owner. Imports core and detectors."""
