"""The composition root: settings, wiring, command line, API. It is the only package that may import all others. It exports the client."""

from watchkeeper.client import Client as Client
