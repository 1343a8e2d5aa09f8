"""Trace logs of real QEMUs: read, and held against the drain rule."""
