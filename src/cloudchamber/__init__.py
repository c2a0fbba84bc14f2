"""cloudchamber: deep learning on particle clouds, from raw ROOT files to figures."""

__all__ = ["__version__"]

__version__ = "0.1.0"
