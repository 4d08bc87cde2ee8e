"""What patients write back: who it is, what it means, who reads it, and what is answered by itself."""
