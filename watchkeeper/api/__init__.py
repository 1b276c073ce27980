"""The HTTP API under /v1, and /metrics. `ports` declares the services that it needs; `watchkeeper.application` passes them in."""
