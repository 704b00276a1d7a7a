"""What touches the disk or the network for the whole Atlas: it depends on nothing else here, so all may use it."""
