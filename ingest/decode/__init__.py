"""From the bytes of a request to columns, one block for each model. Knows neither the log nor the stores."""
