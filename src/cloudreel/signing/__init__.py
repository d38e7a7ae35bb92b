"""Pure signing, verifying and explaining."""
