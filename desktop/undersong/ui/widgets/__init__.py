"""The window's own controls: faders, meters, prose, chips, banners."""
