"""Labelled images: a catalogue of named datasets, and loading them or anybody's own."""

from core.datasets.catalogue import DATASETS
from core.datasets.resolve import load_dataset
from core.datasets.spec import DatasetSpec

__all__ = ["DATASETS", "DatasetSpec", "load_dataset"]
