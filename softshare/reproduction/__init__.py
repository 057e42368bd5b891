"""Experiments that reproduce published tables and figures: what one is, how it runs, what its
records say.

An experiment is a value (:class:`~softshare.reproduction.experiment.Experiment`) in a small file of
the folder ``experiments`` beside the package; all machinery is here, and the runs are made by the
engine of a comparison.
"""
