"""How a model comes to its predictions, by the attributions that it sends."""
