"""Texts as a phone network carries and charges them: alphabets, segments, shortening, what must never be sent."""
