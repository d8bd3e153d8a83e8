"""Generated from protos/synaptyx."""
