"""Acceptance tests: real processes and real requests from outside, compared with an independent recomputation."""
