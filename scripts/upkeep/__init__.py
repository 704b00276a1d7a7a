"""What keeps the data right as the world goes on: links, metrics, new candidates, publications, changed entries."""
