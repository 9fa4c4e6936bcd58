"""Result folders: their names, layout and record; the only place that knows them."""
