"""How weights come to be: the epoch loop and what it needs, frozen backbones and their features."""
