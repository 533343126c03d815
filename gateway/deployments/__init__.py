"""Mobile cameras at places, each with its reason: from referral to evaluation (docs/design/deployments.md)."""
