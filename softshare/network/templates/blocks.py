"""Images as vectors, block by block."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn


class InBlocks(nn.Module):
    """Flattens an image block by block, so that images of several sizes or numbers of channels
    have the same order of places.

    A number's place is told by the row and the column of its block, its channel, and its row and
    column within the block, the first the slowest. Vectors of images with equally many blocks then
    agree on what their leading modes are:

        32 × 32 in 3 channels    16·16 blocks, 3 channels, 2·2 pixels
        16 × 16 in 3 channels    16·16 blocks, 3 channels, 1 pixel

    Args:
        blocks: on a side of the image.

    Shape:
        ``(B, C, H, W)`` → ``(B, C · H · W)``.
    """

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.blocks = blocks

    def forward(self, images: Tensor) -> Tensor:
        by_column = images.unflatten(3, (self.blocks, -1))
        by_block = by_column.unflatten(2, (self.blocks, -1))  # (B, C, rows, h, columns, w)
        return by_block.permute(0, 2, 4, 1, 3, 5).flatten(1)

    def extra_repr(self) -> str:
        return f"blocks={self.blocks}"


def check_blocks(template: str, input_shape: Sequence[int], blocks: int) -> None:
    """Refuse what is no image, or none of so many blocks on a side.

    Raises:
        ValueError: it is one of these; the message names the template.
    """
    if len(input_shape) != 3:
        raise ValueError(
            f"{template}: input_shape must be (channels, height, width), got {tuple(input_shape)}"
        )
    _, height, width = input_shape
    if height % blocks or width % blocks:
        raise ValueError(
            f"{template}: images of {height} × {width} pixels have no {blocks} equal blocks on a "
            "side; give a number of blocks that divides both"
        )
