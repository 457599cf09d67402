"""The mixing desk: one strip a quality, and the whole mix."""
