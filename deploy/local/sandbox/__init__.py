"""A small Stripe and a small Polar to connect to: real shapes, real signatures, no money."""
