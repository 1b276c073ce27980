"""What is watched, and the loop that watches: definitions, truth, reconcile, evaluate. Imports core and detectors."""
