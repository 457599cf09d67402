"""The window: Qt here, torch never."""
