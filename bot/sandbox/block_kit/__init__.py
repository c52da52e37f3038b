"""What Slack accepts as Block Kit: the published types as a JSON Schema, and the limits the types cannot say."""
