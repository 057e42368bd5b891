"""softshare."""
