"""Frame in, frame out: what the numbers mean. No paths, no SQL, no clock, no I/O."""
