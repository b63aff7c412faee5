"""What a person sees and presses. Floor 4 of the house."""
