"""What each kind of asset is recognised by: its identifiers, and the rules that agree on them."""
