"""HAProxy's configuration language: from text to plain data, with every mistake told with its place."""
