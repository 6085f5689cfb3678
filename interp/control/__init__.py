"""What steering does and what it costs: sweeps, receipts, doses, baselines, and the long tail."""
