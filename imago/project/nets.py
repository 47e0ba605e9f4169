"""Pretrained nets as params.yaml has them: the entries that one needs there, for some size."""

from typing import Any

from ruamel.yaml.comments import CommentedMap

from imago import backbones
from imago.backbones._published import Published
from imago.core import digests, registry, sections
from imago.core.errors import ParamsError

Entry = tuple[str, Any]
"""A name in a section of params.yaml, and what stands under it."""


def usual_px(net: str) -> int:
    """Return the size of the images that a net is best for. Raises ParamsError: no such net."""
    return _published(net)[-1].image_size_px


def entries(net: str, image_size_px: int, pooling: str) -> dict[str, Entry]:
    """Return the entries of `weights` and `backbones` that a net needs.

    Raises:
        ParamsError: There is no such net.
    """
    known = _published(net)
    best = next((one for one in known if one.image_size_px == image_size_px), known[-1])
    weights = CommentedMap(sources=[best.source], files={best.file: best.digest})
    if best.digest == sections.UNPUBLISHED:
        weights.yaml_add_eol_comment("no digest is published", "files", column=0)
    elif best.digest.startswith(digests.MD5):
        weights.yaml_add_eol_comment("no sha256 is published", "files", column=0)
    backbone = CommentedMap(
        net=net, weights=best.entry, image_size_px=image_size_px, pooling=pooling
    )
    if best.image_size_px != image_size_px:
        reason = f"its weights are best for {best.image_size_px}"
        backbone.yaml_add_eol_comment(reason, "image_size_px", column=0)
    name = f"{best.entry.removesuffix(f'_{image_size_px}')}_{image_size_px}"
    return {"weights": (best.entry, weights), "backbones": (name, backbone)}


def _published(net: str) -> list[Published]:
    offers = registry.offers(backbones)
    if net not in offers:
        message = f"unknown backbone {net!r}; there are {', '.join(offers)}"
        raise ParamsError(message)
    found: list[Published] = registry.load(backbones, offers[net], "PUBLISHED").PUBLISHED[net]
    return found
