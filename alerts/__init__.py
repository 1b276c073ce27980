"""From readings to episodes to notifications. Imports core."""
