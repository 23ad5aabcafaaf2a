"""Drop-in replacements for packages that are no longer maintained."""
