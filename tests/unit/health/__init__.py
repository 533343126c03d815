"""Health: pictures, months, urgency."""
