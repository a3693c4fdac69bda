"""`python -m bench`: what the service costs, beside a raw hello and raw drivers. Never pass or fail."""
