"""ACT: move traffic, or only say what would be moved.

target     the contract, `RollbackTarget`
cloud_run  really moves it
dry_run    makes the same checks and moves nothing
plan       which revision, which split, and may it still be done; pure
health     does the service's health path answer
"""
