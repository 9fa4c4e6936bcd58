"""What is drawn from stored results: tables, pictures and a sentence, and what they rest on."""
