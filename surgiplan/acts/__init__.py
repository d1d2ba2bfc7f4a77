"""What leaves or enters the house: import, export, report; each one journalled."""
