"""What a test run changes: edges instead of levels. Pure.

results    the cases of a report → one status per test
renames    a test that moved to another file told apart from one that was lost
flaky      tests that say both on one commit, or that flip: marked and measured
learning   a run joins what is known of its suite and branch: broke, fixed, vanished, returned
alarms     which alarms a run raises, carries along and clears
quarantine tests that never page, until a day
rates      how often collection and tests succeed, against their targets
"""
