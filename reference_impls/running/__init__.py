"""Running methods: the catalog, set-ups, one run, its summary and trace, the bench, the store of responses."""
