"""File formats: bytes to trajectories and back; the files themselves are opened in `sparsedyn.data.io`."""
