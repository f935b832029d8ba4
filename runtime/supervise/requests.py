"""placeholder"""


def scope_of(claim):
    return None


def answer(*a):
    raise NotImplementedError
