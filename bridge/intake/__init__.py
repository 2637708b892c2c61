"""From stored bytes to routes: parse, identify, route. Pure, bounded, the same for run, explain and test."""
