"""Compositions: what a program keeps on disk and changes over its life."""
