"""The schema `credentials` in Postgres: one module a table."""
