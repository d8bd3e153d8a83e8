"""The migrations of the schema `attribution`."""
