"""The rules in a SIEM: pipelines for pySigma, conversion, and the index that the converted queries read."""
