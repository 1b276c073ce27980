"""The demo: a year of New York flights, two delay models, and a receiver of webhooks."""
