"""Photos as people bring them: zips of folders, checked, told apart, and packed."""
