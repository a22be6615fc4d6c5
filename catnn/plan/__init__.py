"""How a layer runs: reduce, mix, expand.  The plan, its construction, its cost, and the proof that it is right."""
