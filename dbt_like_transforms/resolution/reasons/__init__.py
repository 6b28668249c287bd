"""What people are told of a resolution: explain (why), words (how it is said), suppressed_values, contradictions."""
