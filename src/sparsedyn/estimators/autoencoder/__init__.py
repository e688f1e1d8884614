"""Autoencoders whose latent variables follow a sparse equation."""
