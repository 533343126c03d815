"""Which cameras there are, and which camera host owns each of them."""
