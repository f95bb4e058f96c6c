"""What keeps an order: holds, reviews with whom they ask, the plant's answers, and the clearance."""
