"""The codes that a socket is closed with, by what the page is to do. The page's script has the same numbers."""

TOO_MUCH = 4008  # too many frames at once: come back, and the text is still in the box
COME_BACK = 4012  # this process ends, or something failed: come back soon
COME_BACK_LATER = 4013  # the page did not read, or its person has too many open: come back in some seconds
SIGN_IN_AGAIN = 4401
NOT_HERE = 4404
