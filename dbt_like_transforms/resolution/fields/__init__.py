"""Which source gives each field of an asset, and what the others said."""
