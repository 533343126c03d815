"""One file per migration, in order; run at every start."""
