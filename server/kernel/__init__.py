"""The kernel: decide, store, fan out, sign in, answer. Knows no module; modules register with it."""
