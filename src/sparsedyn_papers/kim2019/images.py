"""Images of handwritten digits: a small set that comes with scikit-learn, or MNIST files that the user has."""

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.ndimage import affine_transform
from sklearn.datasets import load_digits

from sparsedyn_papers.kim2019.digit_sum import Digits

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@dataclass(frozen=True)
class Images:
    """Images with their digits, in three parts that share no image."""

    train: Digits
    validation: Digits
    test: Digits


def small_digits(*, validation: int = 200, test: int = 400, seed: int = 0) -> Images:
    """Return the 1,797 images of 8 x 8 pixels that come with scikit-learn, split at random."""
    images, digits = load_digits(return_X_y=True)
    return _split(images.reshape(-1, 8, 8) / 16.0, digits, validation, test, seed)


def load_idx(directory: str | Path, *, validation: int = 5000, seed: int = 0) -> Images:
    """Return MNIST from the four files under which it is distributed, compressed (`.gz`) or not.

    **Raises:** `FileNotFoundError` for a missing file, `ValueError` for one that is not what it should be.
    """
    train, test = (_pair(Path(directory), *FILES[part]) for part in ("train", "test"))
    split = _split(*train, validation, 0, seed)
    return Images(split.train, split.validation, _digits(*test))


def augmented(digits: Digits, copies: int, *, seed: int = 0) -> Digits:
    """Return the images and so many turned, stretched, slanted and shifted copies of each."""
    rng = np.random.default_rng(seed)
    images = [digits.image]
    for _ in range(copies):
        images.append(np.stack([_distorted(image[..., 0], rng) for image in digits.image])[..., None])
    return Digits(np.concatenate(images).astype(np.float32), np.tile(digits.digit, copies + 1))


def _distorted(image: Float[np.ndarray, "row column"], rng: np.random.Generator) -> Float[np.ndarray, "row column"]:
    angle, slant = np.deg2rad(rng.uniform(-12.0, 12.0)), rng.uniform(-0.15, 0.15)
    stretch, size = rng.uniform(0.88, 1.12, 2), np.asarray(image.shape)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[stretch[0], 0.0], [slant, stretch[1]]])
    centre = (size - 1) / 2
    shift = rng.uniform(-0.075, 0.075, 2) * size
    return affine_transform(image, matrix, centre - matrix @ centre + shift, order=1)


def _split(images: np.ndarray, digits: np.ndarray, validation: int, test: int, seed: int) -> Images:
    if validation + test >= len(images):
        raise ValueError(
            f"validation, test: expected fewer than {len(images)} images together; got {validation + test}."
        )
    order = np.random.default_rng(seed).permutation(len(images))
    parts = np.split(order, [test, test + validation])
    first, second, third = (_digits(images[rows], digits[rows]) for rows in parts)
    return Images(train=third, validation=second, test=first)


def _digits(images: np.ndarray, digits: np.ndarray) -> Digits:
    return Digits(images[..., None].astype(np.float32), digits.astype(np.float32))


def _pair(directory: Path, images: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    pixels, digits = _idx(directory, images, 3), _idx(directory, labels, 1)
    if len(pixels) != len(digits):
        raise ValueError(
            f"{directory}: expected as many images as labels; {images} has {len(pixels)}, {labels} {len(digits)}. "
            "Take both files from the same source."
        )
    if digits.size and digits.max() > 9:
        raise ValueError(f"{directory / labels}: expected digits from 0 to 9; got {digits.max()}.")
    return pixels / 255.0, digits


def _idx(directory: Path, name: str, dimensions: int) -> np.ndarray:
    """Read a file of unsigned bytes: two zeros, the type 8, the number of dimensions, their sizes, the bytes."""
    # Some copies write the name with a dot.
    dotted = name.replace("-idx", ".idx")
    found = [path for n in (name, dotted) for path in (directory / n, directory / f"{n}.gz") if path.is_file()]
    if not found:
        raise FileNotFoundError(
            f"{directory}: expected the MNIST file {name} or {name}.gz; it is not there. Put the four files of MNIST "
            "into this folder."
        )
    path, content = found[0], found[0].read_bytes()
    if path.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ValueError(
                f"{path}: expected a gzip file; it cannot be unpacked ({error}). Fetch it again."
            ) from error
    head = 4 + 4 * dimensions
    if len(content) < head or content[:4] != bytes((0, 0, 8, dimensions)):
        raise ValueError(
            f"{path}: expected an IDX file of bytes with {dimensions} dimensions; it begins with "
            f"{content[:4].hex(' ') or 'nothing'}. Give the original MNIST file."
        )
    shape = struct.unpack(f">{dimensions}I", content[4:head])
    if len(content) - head != math.prod(shape):
        raise ValueError(
            f"{path}: expected {math.prod(shape)} bytes of data for {' x '.join(map(str, shape))}; "
            f"got {len(content) - head}. Fetch it again."
        )
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)
