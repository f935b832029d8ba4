"""Cannot be imported, so that there is an import error to be listed."""

raise RuntimeError("this file is broken on purpose")
