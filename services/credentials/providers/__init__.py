"""The providers' APIs, as far as a key must be tried at them."""
