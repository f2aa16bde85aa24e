"""How many voices there are, and which voice print is whose."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from lib.video.audio.voice.encoder import Prints

Labels = np.ndarray[Any, np.dtype[np.intp]]

WINDOW = 1.6
"""Seconds that a print covers."""
LEAST_SPEECH = 5.5
"""Seconds of speech that there must be for each speaker on the average; with less, one voice falls apart into moods."""
MOST_SPEAKERS = 8
"""Found at most, unless more are allowed for: the more there may be, the more often one voice is taken for several."""
SAME = 0.9
"""Cosine similarity of two mean prints from which they are one voice: two parts of one person's speech have more."""
MOST_PRINTS = 600
"""Clustered at most: the others are given to the nearest voice. What it takes grows with the square of their number."""
FEW_PRINTS = 64
"""Up to here all eigenvalues are as quickly had as the few that are needed."""
SHARE = 0.04
"""Of all prints that a neighbourhood has at least: in a small one, a voice falls apart into what it says."""
NEIGHBOURHOODS = 24
"""Sizes of neighbourhood that are tried."""


def cluster(
    prints: Prints, hop: float, number: int | None = None, at_least: int | None = None, at_most: int | None = None
) -> Labels:
    """Return the voice (from 0) of each print; prints follow each other `hop` seconds apart.

    The number of voices is found by the eigengap of the graph of nearest neighbours, whose size is the one with the
    clearest gap (Park et al., Auto-tuning spectral clustering for speaker diarization, 2019).
    """
    if len(prints) < 2:
        return np.zeros(len(prints), np.intp)
    step = -(-len(prints) // MOST_PRINTS)
    sample = prints[::step]
    low, high = _bounds(len(prints) * hop, len(sample), number, at_least, at_most)
    if high == 1:
        return np.zeros(len(prints), np.intp)
    # Windows that overlap are alike whoever speaks: a neighbourhood must be larger than those.
    overlapping = max(2, round(2 * WINDOW / (hop * step)))
    found, vectors = _eigengap(sample, overlapping, low, high)
    if found == 1:
        return np.zeros(len(prints), np.intp)
    labels = _merged(sample, _k_means(vectors[:, :found], found), low)
    if step > 1:
        labels = np.argmax(prints @ centroids(sample, labels).T, axis=1)
    return _renumbered(labels)


def centroids(prints: Prints, labels: Labels) -> Prints:
    """Return the mean print of each voice, of unit length."""
    means = np.stack([prints[labels == voice].mean(axis=0) for voice in range(labels.max() + 1)])
    unit: Prints = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return unit


def _bounds(
    speech: float, prints: int, number: int | None, at_least: int | None, at_most: int | None
) -> tuple[int, int]:
    if number is not None:
        return min(number, prints), min(number, prints)
    likely = max(1, int(speech / LEAST_SPEECH))
    low = min(at_least or 1, prints)
    high = min(at_most or MOST_SPEAKERS, max(likely, low), prints)
    return low, high


def _eigengap(prints: Prints, overlapping: int, low: int, high: int) -> tuple[int, Any]:
    """Return the number of voices and the eigenvectors of the graph that shows it best."""
    count = len(prints)
    nearest = np.argsort(-(prints @ prints.T), axis=1, kind="stable")
    smallest = min(max(overlapping, round(SHARE * count)), max(2, count // 3))
    sizes = sorted(set(np.linspace(smallest, max(smallest, count // 2 - 1), NEIGHBOURHOODS).astype(int).tolist()))
    best_ratio, best_number, best_vectors = np.inf, low, None
    for size in sizes:
        values, vectors = _spectrum(nearest[:, :size], min(count, high + 1))
        gaps = np.diff(values)[:high]
        ratio = (size / count) / (gaps.max() + 1e-10)
        if ratio < best_ratio:
            best_ratio, best_vectors = ratio, vectors
            best_number = low + int(np.argmax(gaps[low - 1 :])) if len(gaps) >= low else low
    return best_number, best_vectors


def _spectrum(nearest: Any, number: int) -> tuple[Any, Any]:
    """Return the smallest eigenvalues and their vectors of the normalised Laplacian of a graph of neighbours."""
    count = len(nearest)
    graph = np.zeros((count, count))
    np.put_along_axis(graph, nearest, 1.0, axis=1)
    graph = (graph + graph.T) / 2
    scale = 1 / np.sqrt(graph.sum(axis=1))
    affinity = graph * scale[:, None] * scale[None]  # one minus the Laplacian
    if count > FEW_PRINTS:
        try:
            values, vectors = eigsh(affinity, number, which="LA", v0=np.ones(count))
            order = np.argsort(-values)
            return 1 - values[order], vectors[:, order]
        except ArpackNoConvergence:
            pass
    values, vectors = eigh(np.eye(count) - affinity, subset_by_index=(0, number - 1))
    return values, vectors


def _k_means(vectors: Any, number: int) -> Labels:
    from sklearn.cluster import KMeans

    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    labels: Labels = KMeans(number, n_init=10, random_state=0).fit_predict(rows).astype(np.intp)
    return _renumbered(labels)


def _merged(prints: Prints, labels: Labels, low: int) -> Labels:
    """Join the most similar voices while they are too similar to be two, and there are more than `low`."""
    while labels.max() + 1 > low:
        means = centroids(prints, labels)
        similar = means @ means.T
        np.fill_diagonal(similar, -1.0)
        if similar.max() < SAME:
            break
        one, other = np.unravel_index(np.argmax(similar), similar.shape)
        labels = _renumbered(np.where(labels == other, one, labels))
    return labels


def _renumbered(labels: Iterable[int]) -> Labels:
    """Number the voices from 0 in the order of their first print."""
    order: dict[int, int] = {}
    return np.array([order.setdefault(int(label), len(order)) for label in labels], np.intp)
