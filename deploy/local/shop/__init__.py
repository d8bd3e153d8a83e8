"""A small shop that sells through Stripe and Polar in every way that a shop can."""
