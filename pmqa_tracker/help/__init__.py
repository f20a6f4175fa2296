"""Help in the product: the manual in docs/ by role, in Thai and English, rendered at /help/."""
