"""The whole stack on one machine: real parts, on loopback, under one supervisor."""
