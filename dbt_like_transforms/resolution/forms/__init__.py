"""One spelling for every identifier, and the values that identify nothing."""
