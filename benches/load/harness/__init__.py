"""The modules of benches/load/run."""
