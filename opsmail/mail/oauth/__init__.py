"""Access tokens for modern authentication: who is asked for them, how, and what is looked at before one is used.

MSAL speaks OAuth 2.0; everything around it is here: where its requests may go and for how long, what an application
proves itself with, and what a token says. MSAL is imported when the first token is needed.
"""
