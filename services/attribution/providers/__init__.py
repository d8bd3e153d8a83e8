"""What a provider says, turned into facts: pure."""
