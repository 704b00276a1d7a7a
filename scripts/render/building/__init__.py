"""What a site engine needs before and after it builds: hooks, the frame of pages, finished HTML and its policy."""
