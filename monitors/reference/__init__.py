"""The reference: makes a contract with its bins, a summary, and facts from a file."""
