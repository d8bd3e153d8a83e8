"""What every service is bolted onto. Imports no service and no synaptyx message."""
