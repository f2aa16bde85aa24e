"""What the engines of MediaPipe are made of; importing any of it, but for `regions`, imports MediaPipe."""
