"""How an attacker could reach what matters: shortest paths over the exposure graph, choke points, what to fix.

Which paths: from every entry to its nearest targets, and to every target from its nearest entries; shortest ones, up to a
hop limit. So no entry that reaches anything is silent, and no target that is reached is hidden behind a nearer one, at the
cost of two searches however many entries and targets there are.
"""
