"""What goes over the wire to a model and back: requests through the openai client, streams put together."""
