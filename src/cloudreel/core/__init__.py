"""What every service stands on: calls as values, one codec, one retry decision, one transport."""
