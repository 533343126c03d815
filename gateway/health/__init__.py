"""What is wrong with a camera, how urgent that is, and how much of a month it was there (docs/design/health.md)."""
