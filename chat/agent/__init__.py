"""The engine: values in, typed events out. It knows no Django, no database and no socket."""
