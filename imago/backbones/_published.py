"""Where the weights of nets are published, and by which digest they are known."""

from dataclasses import dataclass

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
"""Where Keras keeps those of its nets. Source of their names and digests: keras.applications, with
which tests compare them; it has no other digest than an MD5."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """Weights of a net without its head, for images of one size.

    Attributes:
        entry: Their name in the section `weights` of params.yaml.
        image_size_px: Of the images that they are best for; others can be had as well.
        source: As params.yaml has it.
        file: The name that they have there.
        digest: As params.yaml has it.
    """

    entry: str
    image_size_px: int
    source: str
    file: str
    digest: str
