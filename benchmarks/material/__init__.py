"""What several benchmarks share: the stream of events, the flights, tables and profiles."""
