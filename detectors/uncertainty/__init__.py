"""How sure a model is, and how rightly."""
