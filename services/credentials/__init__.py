"""The safe: sources, their connection, and their encrypted secrets."""
