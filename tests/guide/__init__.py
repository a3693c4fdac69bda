"""The pages of docs/guide, run as their readers would run them."""
