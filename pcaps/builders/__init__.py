"""Builders of the bytes in the captures of this folder: standard library only, same bytes on every run."""
