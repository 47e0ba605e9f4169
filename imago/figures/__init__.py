"""Figures for people to look at, a module for each family: values in, a Matplotlib figure out.

Colours are those of Okabe and Ito, which people with any kind of colour vision tell apart, and
never say anything that a sign or a word does not say as well.
"""
