"""What the writers and stores that people use lose in a crash, found by `holdfast.crash`."""
