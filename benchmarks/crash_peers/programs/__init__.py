"""One small file for each peer.

Each has `VARIANTS` (name and what it stands for), `saver(variant)`, which gives a function that
saves state number n in the current folder and returns when the library says that it is done, and
`load(variant)`, which opens what is there, as the next start of a program would, and gives the
number of the state that it finds. `load` raises if what it finds is no state at all.
"""
