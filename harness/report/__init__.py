"""The HTML report: one page that shows finished results and where they come from."""
