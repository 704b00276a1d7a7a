"""What fills the folder and finishes a built site: two processes, hooks, the frame of pages, HTML and its policy."""
