"""Shows that measures are right and that alarms keep their promise: on public data where they are beside the checkout, and on made streams."""
