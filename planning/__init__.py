"""Pure decisions: plain values in, plain values and reasons out. Time is a parameter."""
