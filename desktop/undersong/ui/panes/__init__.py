"""The panes in which texts stream side by side."""
