"""Undersong without a window: the same engine, driven from the terminal."""
