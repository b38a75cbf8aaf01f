"""A warehouse for AI spend: every export becomes FOCUS rows; everything after reads only FOCUS."""
