"""Undersong: steer a language model's prose from the inside."""

__version__ = "0.1.0"
