"""The HTTP interface under /v1, and /metrics. Knows the services by the protocols of `ports`; `watchkeeper.application` passes them in."""
