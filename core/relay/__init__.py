"""The relay: client and server connections as asyncio Protocols, and what moves bytes between them."""
