"""The reference: a file becomes a contract with frozen bins, a summary, and facts."""
