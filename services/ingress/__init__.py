"""The door: takes in webhooks over HTTP and hands their events to attribution."""
