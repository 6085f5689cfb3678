"""`python -m interp`, and `torchrun -m interp` for several processes."""

from interp.cli import main

main()
