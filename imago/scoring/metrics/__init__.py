"""The metrics of metrics/<experiment>.json, found by name: see imago.scoring.metric."""
