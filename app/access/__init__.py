"""Who may do and see what: the only door to owned rows."""
