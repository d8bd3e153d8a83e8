"""How the services are run: on one machine, in an image, in a cluster."""
