"""Running tasks: inside the task process (``task``) and around it (``supervise``)."""
