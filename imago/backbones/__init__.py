"""Pretrained nets that turn images into features."""
