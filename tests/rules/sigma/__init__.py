"""Tests of detection rules."""
