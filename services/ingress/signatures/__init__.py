"""Reads the providers' signature headers and checks them against secrets."""
