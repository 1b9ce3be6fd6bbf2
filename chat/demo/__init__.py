"""The demo model: a scripted stand-in, not an AI, that answers when no endpoint is configured.

It speaks the real protocol through the real client. From the outside in:

- `transport` answers HTTP requests in the process, in the shapes of `wire`.
- `model` is the pure function between them, from a request's body to a reply.
- `conversation` reads the body; `understanding` finds out what the last message wants, in the light of `context`,
  with one module a subject: `weather_questions`, `arithmetic`, `clock_questions`, `about_user`, `smalltalk`.
- `acting` answers what is wanted (`intents`), or asks for the tools it takes, again with one module a subject:
  `weather`, `sums`, `clock`, `remembering`.
"""
