"""Tables, and the behaviour of their rows that needs no input or output."""
