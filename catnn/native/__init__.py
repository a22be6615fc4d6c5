"""The same plans in C: programs for one small library that the system compiler builds, behind loaded modules."""
