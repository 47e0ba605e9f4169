"""How weights come to be: the epoch loop, its phases and devices, and how sure the model is."""
