"""Tests of the evaluation: on small trees of our own, with a stand-in for the process of a case where it can."""
