"""The command line: choices and keys from the registries, help, and errors for people."""
