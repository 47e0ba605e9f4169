"""What people look at after a run: model cards, pages that open anywhere, and tables."""
