"""The demo: a year of New York flights, two models of delays, and a receiver of webhooks."""
