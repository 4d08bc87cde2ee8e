"""A fake Twilio: messages, look-ups, status callbacks, and faults on demand."""
