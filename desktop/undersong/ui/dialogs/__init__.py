"""What opens over the window: first run, settings, shortcuts, engine details, commands."""
