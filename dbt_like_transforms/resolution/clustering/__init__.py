"""Which records are one asset: rules of the ladder applied to facts, strongest first, and what is noted on the way.

`cluster` calls the others. What identifies nothing: crowded, before any rule, contests, within one. Who agrees: agreement, over
partition. Who is in conflict: suspects finds the groups in which anyone may be, settle decides them one by one over views, vetoes,
activity and succession. After all rules: by_hand, review (possible matches), strength (who makes no asset). notes writes findings.
"""
