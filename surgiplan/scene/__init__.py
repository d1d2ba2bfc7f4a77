"""What is seen, as plain data."""
