"""The Celery executor: messages say what may be claimed, workers of ours claim and run it.

Celery and its broker only ring: the metadata database is the truth. A message that is lost,
doubled, late or forged changes nothing but time (``spec/reliability.md``, R1 to R3). Celery is
imported by ``app.py``, ``publisher.py``, ``executor.py``, ``consumer.py`` and ``remote.py`` only,
and those only where Celery is used.
"""
