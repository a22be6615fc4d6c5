"""The report of a spec: one HTML file to look at, to keep, and to compile again."""

from catnn.report.page import report

__all__ = ["report"]
