"""The playground: a local page where a spec is edited, and its diagrams, costs and code follow as one types."""
