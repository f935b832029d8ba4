"""The words and the rules, and what a DAG author writes with. Pure Python: no I/O above this floor."""
