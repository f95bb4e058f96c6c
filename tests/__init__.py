"""Every proof; the folders mirror the rooms."""
