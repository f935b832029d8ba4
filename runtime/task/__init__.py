"""Inside the task process, the task host and the zygote. Never opens the metadata database."""
