"""The reliability bot: which deploy did it, what does it cost, who decides, is it fixed."""
