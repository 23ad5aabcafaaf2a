"""Formats: bytes in, values out. Pure: no files, no clock."""
