"""A small Stripe, as its fact sheet and its OpenAPI document describe the real one."""
