"""Running methods: the catalog, the runner, the store of responses, what came of a query."""
