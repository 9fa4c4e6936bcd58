"""Image sets and tasks: what networks are shown, and what they are to predict."""
