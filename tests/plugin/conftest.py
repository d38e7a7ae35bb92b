"""The sample is a project of its own: test_sample.py runs its tests, the way its owner would."""

collect_ignore = ["sample"]
