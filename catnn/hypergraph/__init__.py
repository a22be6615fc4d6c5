"""Open hypergraphs: diagrams with boxes, as cospans in arrays."""
