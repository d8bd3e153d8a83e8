"""The script that sources put into the pages of a shop."""
