"""The whole, from outside: real processes, real requests, held against an independent recomputation."""
