"""What a run can do, one thin file per job: its name, its settings, its function."""
