"""The process that holds the model: torch here, Qt never."""
