"""From one configuration to a finished study."""
