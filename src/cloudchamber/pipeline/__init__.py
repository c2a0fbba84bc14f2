"""What the rules of the workflow ask for. Nothing here knows a study: studies come as objects of one interface."""
