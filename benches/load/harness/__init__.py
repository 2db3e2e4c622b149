"""The parts of benches/load/run."""
