"""The console: its files, its policy, its modules."""
