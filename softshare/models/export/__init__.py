"""A model as one graph of plain tensor operations, which runs without this library.

raw rows ─► features.py ─► what was learned ─► graph.py ─► own units, probabilities ─► write.py
"""
