"""Drafts: what a commit merges, decides and reports."""

from __future__ import annotations
