"""The sheet: header and opening."""
