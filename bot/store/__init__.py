"""What the bot remembers: tables and the functions that read and write them.

Functions take an `AsyncSession` of a transaction the caller owns (`async with deps.db.begin() as session`) and return
`bot.model` values. Nobody talks to Slack or Google inside a transaction.
"""
