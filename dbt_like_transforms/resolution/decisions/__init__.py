"""What people decided: read, checked, and as rows of a resolution."""
