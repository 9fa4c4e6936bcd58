"""Zero-Cost-PT: perturbation-based search in an untrained supernet."""
