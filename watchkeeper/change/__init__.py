"""What commands do, a file for each or for a close family; `watchkeeper.command` lists them. May import everything but the API and the pages."""
