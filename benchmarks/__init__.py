"""What the template costs, measured against the floor: `python -m benchmarks`."""
