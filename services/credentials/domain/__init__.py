"""What sources and credentials are, by themselves: no storage, no network."""
