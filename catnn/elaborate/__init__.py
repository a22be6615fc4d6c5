"""Syntax to meaning: names, types, terms, layers, networks, checks and imports; `spec.elaborate` is the driver."""
