"""The tests. Real parts wherever they can be had."""
