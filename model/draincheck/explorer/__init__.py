"""What the explorer shows, as one document, and the page that shows it."""
