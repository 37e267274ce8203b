"""The language of rules: sample expressions, conditions, actions (manual chapters 4.2, 7).

Everything here is compiled once, when a thread is built, to closures that take a *scope*: the exchange (scope.py).
"""
