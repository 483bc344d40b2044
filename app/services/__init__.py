"""What routes and commands call: search, sync, extraction, backup and so on."""
