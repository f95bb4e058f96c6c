"""Documents that customers book: what an invoice says on paper, and its rendering as a PDF."""
