"""The composition root: settings, wiring, command line, API. The only place that knows everyone. Gives out the client."""

from watchkeeper.client import Client as Client
