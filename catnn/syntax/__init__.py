"""Text to Syntax and back: lexing, parsing with recovery, nodes, and the printer."""
