"""Whether a change between two revisions is a regression, or chance: see docs/gate.md."""
