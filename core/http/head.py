"""Strict reading of request and response heads (interface sketch: the owner of core/http replaces this file)."""

from __future__ import annotations
