"""The mathematics: diagrams, their families, composition, counting and dense matrices.  No I/O and no torch."""
