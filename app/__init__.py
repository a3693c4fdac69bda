"""Tandem: the coaching record behind every school's front end."""
