"""What the relay needs of sockets beyond asyncio."""
