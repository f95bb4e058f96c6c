"""Who may do what, and how far they see: the role matrix and the console's logins."""
