"""The coder process: its wire, what it makes of pictures, and what it may not do."""
