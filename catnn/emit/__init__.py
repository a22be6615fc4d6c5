"""Plan to source: readable torch modules, checked, loaded and cached."""
