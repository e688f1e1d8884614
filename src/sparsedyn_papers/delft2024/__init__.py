"""Mekerishvili, Kolev, Geijsberts, Chong 2024: a reproduction of Champion et al. 2019 on a grid of settings."""
