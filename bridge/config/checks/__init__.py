"""What only shows when all files are read: names nobody has, circles, holes, keys that contradict each other."""
