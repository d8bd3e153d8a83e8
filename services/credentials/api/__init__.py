"""The gRPC services of this process, and the translation of their messages."""
