"""Mutation testing: whether the tests see a fault that is put into a function.

``python -m benchmarks.mutants [N [SEED ...]]`` draws N mutants (150 unless told otherwise) of each
of ``sharing``, ``training`` and ``methods`` and for each seed, lets the tests of these packages
and of the contracts meet them, and writes ``benchmarks/mutants.md``. It needs ``pip install
'softshare[mutation]'``, a system that forks, and about ten minutes to learn which test runs which
line, then a few seconds a mutant, all on one core.

* **Faults** are those of mutmut's operators on libcst's tree: numbers one larger, comparisons,
  operators and branches exchanged, ``None`` in place of values and arguments, arguments left out,
  texts changed. Left alone are annotations, docstrings, what stands outside functions, texts that
  people read (of errors, and with a space in them), and ``strict`` of ``zip``.
* **Drawn** are sites at random, of every file as many as its part of all. Where the bytecode stays
  the same the next one of the file takes the place.
* **Tests** run in a forked child, the function's code exchanged where it stands: those that run
  the mutated lines, of the module's own file first and then the quickest, until one fails, as far
  as they take 10 seconds together. Processes that a test starts by ``multiprocessing`` are forked,
  and run the fault too; what a program started anew does is not seen.
* **Killed** is a mutant when a test fails that passes without it, when tests take thrice their time
  and ten seconds more or hang, or when the process crashes. All else survives, lines that no such
  test runs included.
"""
