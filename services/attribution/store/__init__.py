"""Queries, one file a table: domain values in, domain values out. Stores never commit."""
