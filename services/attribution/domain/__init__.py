"""What money is and what it earns: standard library only."""
