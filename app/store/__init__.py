"""The database: tables, transactions, change numbers, locks, conditions, keys."""
