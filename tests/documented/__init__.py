"""The documented examples, told to a live server."""
