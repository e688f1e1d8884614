"""Folders of files, and trajectories larger than memory: written as arrays, file by file, and mapped."""
