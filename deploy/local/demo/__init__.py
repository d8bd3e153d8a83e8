"""A demonstration of the running stack: purchases, a refund, a repeated and a forged delivery."""
