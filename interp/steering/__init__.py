"""The vocabulary of steers: types, what people write, checks, JSON."""
