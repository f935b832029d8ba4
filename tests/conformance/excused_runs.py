"""Recorded DAG runs that end otherwise here, each with its reason."""

#: Cases whose end Airflow leaves to the order in which states become known. Ours is told apart
#: by what it holds to: a finished state never changes, and a failure wins over a skip where both
#: are known at once.
EXCUSED = {
    "random_00058": "t7 fails through its setup in the pass in which t6 is found skipped; Airflow "
    "looks at t10 with the states of before that pass, and skips it",
    "random_00250": "t3 is skipped at once when t1 is, and so is t5 below both; Airflow needs one "
    "more round for t5, in which t2 happens to fail",
    "random_00386": "Airflow marks t3 upstream_failed, t6 with it, and then lets branch t2 turn t3 "
    "into skipped while t6 stays; here t3 waits for the branch and t6 is skipped with it",
}
