"""The engine on tantivy; nothing outside imports its library."""
