"""Figures for people to look at, each a module that is found by its name.

A module has `draw`, which takes what there is to see of an experiment, see `_subject.Subject`, and
returns a Matplotlib figure, or None where it has nothing to show; TITLE and CAPTION, the words in
the report; SECTION, which of the report's sections shows it, one of the templates in
imago/reports/templates/sections; and PLACE, a number by which those of a section are in order.

Colours are those of Okabe and Ito, which people with any kind of colour vision tell apart, and
never say anything that a sign or a word does not say as well.
"""
