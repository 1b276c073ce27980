"""The loop of the one owner of a model: join the truth, reconcile, evaluate, alert."""
