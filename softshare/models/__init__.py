"""A model that people keep: learned by a method's name, saved without code, predicting new rows in
the targets' own units.
"""
