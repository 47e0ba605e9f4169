"""Pretrained nets that turn images into maps of features, a family of them in each module.

A family is found by the name of any of its nets. Its module has

    NAMES                            of its nets, as params.yaml has them
    build(name, image_shape, weights)    one of them, from RGB pixels, (N, H, W, 3) uint8, 0-255,
                                     to its last maps, (N, h, w, F) float32, with the weights in the
                                     file `weights` (a path) and, as its first layers, the
                                     preprocessing that it was trained with

Its layers are not nested, and keras.saving reads it in safe mode. Images are checked by
`imago.backbones._checks`. Keras is imported where a net is built, so that params.yaml can be
checked without it. The nets of keras.applications share `imago.backbones._applications`.
"""
