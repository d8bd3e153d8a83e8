"""The services of revenue attribution; each meets the others only over gRPC."""
