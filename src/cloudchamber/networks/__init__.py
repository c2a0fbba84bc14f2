"""Networks on particle clouds: one file per architecture."""
