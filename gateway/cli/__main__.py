"""``python -m gateway.cli``: the command where it is not installed."""

from gateway.cli.main import main

main()
