"""Rewriting: the factorisation of a diagram into permutation ; planar ; permutation."""
