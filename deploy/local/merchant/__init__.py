"""A merchant of the local stack: what one does at the services and at the sandboxes."""
