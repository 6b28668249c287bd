"""A synthetic enterprise served through emulated vendor APIs: truth, lenses, and a kit to serve them."""
