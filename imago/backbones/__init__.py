"""Pretrained nets that turn images into maps of features, a family of them in each module.

A family is found by the name of any of its nets. Its module has `NAMES`, of its nets as params.yaml
has them; `PUBLISHED`, which says of each where its weights are published, as `_published` has it,
one or several for images of different sizes, the usual size last; and
`build(name, image_shape, weights)`, which builds one of them:

    image_shape     (H, W, 3) of images in RGB
    weights         the file that holds the weights, in the form in which they are published
    what it gives   a model from pixels, (N, H, W, 3) uint8, 0-255, to the net's last maps,
                    (N, h, w, F) float32; its first layers are the preprocessing that the net was
                    trained with. Layers are not nested, and keras.saving reads it in safe mode.

It begins with `_building.check`. Keras is imported where a net is built, so that params.yaml can be
checked without it. Nets of keras.applications are built by `_building.application`.
"""
