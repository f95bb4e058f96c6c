"""What administrators keep and everybody's orders are checked against."""
