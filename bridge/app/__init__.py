"""Builds everything, starts it in order, stops it in reverse. Decides nothing."""
