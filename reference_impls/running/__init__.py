"""Running methods: the catalog, set-ups, one run, its summary, the bench over all, and the store of responses."""
