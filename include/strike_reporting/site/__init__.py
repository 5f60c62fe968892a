"""The pages: drawn from releases by today's code, rewritten only where they changed. No release is made of them."""
