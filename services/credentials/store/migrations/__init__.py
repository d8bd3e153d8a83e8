"""The migrations of the schema `credentials`."""
