"""Sources of the reference that ``nox -s docs`` builds; not in the wheel."""
