"""Imports of what other systems have: a CSV file and a mapping of its columns; all or nothing."""
