"""From the bytes of a request to columns, a model at a time. May import core; knows neither the log nor the stores."""
