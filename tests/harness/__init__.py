"""What the tests and the benchmarks share: baking, commands, servers, Docker, updates."""
