"""The site around the chat: settings, addresses, headers, sign-in, logs and how it is served."""
