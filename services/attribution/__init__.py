"""The ledger: clicks, payments, conversions and the webhook log."""
