"""Pure folds from events to what is painted. No widget, no loop, no clock of their own."""
