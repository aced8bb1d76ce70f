"""Data pruning: the theory of a pruned perceptron, its simulation, and trained digits."""
