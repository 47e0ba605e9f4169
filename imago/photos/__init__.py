"""Photos as people bring them: decoded, told apart by their looks, and packed."""
