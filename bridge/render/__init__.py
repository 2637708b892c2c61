"""Texts: what a rule writes, filled with what an event says. Content is only ever a value, never a template."""
