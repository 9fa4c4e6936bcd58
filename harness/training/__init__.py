"""Training recipes: ground truth that the project measures itself."""
