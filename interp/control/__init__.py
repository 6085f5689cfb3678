"""What steering does: sweeps, receipts, doses, baselines, popularity."""
