"""Text to Syntax to meaning: nodes, parser, printer, elaboration."""
