"""Who owns a model, and which event owns an id: several partitions, several owners, and those that were replaced."""
