"""HAProxy's peers protocol 2.1: tables that several proxies share."""
