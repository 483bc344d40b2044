"""The steps between spans and mentions, one module each."""
