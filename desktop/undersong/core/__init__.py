"""The words both processes share; standard library only."""
