"""From readings to episodes to signed webhooks. Imports core."""
