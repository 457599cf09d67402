"""The search panel: finding qualities and reading what they are."""
