"""The application: people and partners on the north side, camera hosts on the south."""
